package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"errand/internal/refusal"

	"github.com/MicahParks/jwkset"
)

const (
	minRSABits = 2048
	maxRSABits = 8192 // larger keys make verification slow
)

// keyMembers are the members of a JWK that are read. The certificate members x5c, x5t, x5t#S256 and x5u are not among
// them: identity providers publish certificates that do not match their key, expired ones and thumbprints of others
// (Auth0, WorkOS), and the key is trusted because of the address it was fetched from.
type keyMembers struct {
	kid, kty, crv, use, alg string
	keyOps                  []string
	x, y, n, e              string
}

// parseKey returns the key in a JWK, or why it is not used.
func parseKey(raw json.RawMessage) (publishedKey, *SkippedKey) {
	m, err := readKeyMembers(raw)
	if err == nil && (m.use == "enc" || m.kty == "oct") {
		reason := `it is for encryption ("use" is "enc")`
		if m.use != "enc" {
			reason = "it is a shared secret, which must not be published"
		}
		return publishedKey{}, &SkippedKey{ID: refusal.Printable(m.kid), Reason: reason, Expected: m.use == "enc"}
	}
	var key crypto.PublicKey
	if err == nil {
		key, err = m.publicKey()
	}
	var algorithms []string
	if err == nil {
		algorithms, err = m.pinnedAlgorithms(key)
	}
	if err != nil {
		return publishedKey{}, &SkippedKey{ID: refusal.Printable(m.kid), Reason: err.Error()}
	}
	return publishedKey{id: m.kid, algorithms: algorithms, key: key}, nil
}

// readKeyMembers reads the members by their exact names. Decoding into a struct would accept "KID" for "kid".
func readKeyMembers(raw json.RawMessage) (keyMembers, error) {
	var m keyMembers
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil || all == nil {
		return m, errors.New("it is not a JSON object")
	}
	for name, into := range map[string]*string{
		"kid": &m.kid, "kty": &m.kty, "crv": &m.crv, "use": &m.use, "alg": &m.alg,
		"x": &m.x, "y": &m.y, "n": &m.n, "e": &m.e,
	} {
		if value, present := all[name]; present && json.Unmarshal(value, into) != nil {
			return m, fmt.Errorf("its member %q is not text", name)
		}
	}
	if value, present := all["key_ops"]; present && json.Unmarshal(value, &m.keyOps) != nil {
		return m, errors.New(`its member "key_ops" is not a list of texts`)
	}
	if len(m.kid) > maxKeyIDBytes {
		return m, fmt.Errorf("its ID is longer than %d bytes", maxKeyIDBytes)
	}
	if m.use != "" && m.use != "sig" && m.use != "enc" {
		return m, fmt.Errorf(`its "use" is %q, not "sig"`, refusal.Printable(m.use))
	}
	if len(m.keyOps) > 0 && !slices.Contains(m.keyOps, "verify") {
		return m, errors.New(`its "key_ops" do not include "verify"`)
	}
	return m, nil
}

// publicKey returns the key. Private members are not read, should they be published by mistake.
func (m keyMembers) publicKey() (crypto.PublicKey, error) {
	jwk, err := jwkset.NewJWKFromMarshal(jwkset.JWKMarshal{
		KTY: jwkset.KTY(m.kty), CRV: jwkset.CRV(m.crv), X: m.x, Y: m.y, N: m.n, E: m.e,
	}, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return nil, fmt.Errorf("its type %q, curve %q is not supported, or its numbers are invalid",
			refusal.Printable(m.kty), refusal.Printable(m.crv))
	}
	switch k := jwk.Key().(type) {
	case *ecdsa.PublicKey:
		if _, err := k.ECDH(); err != nil { // the point must be on the curve
			return nil, errors.New("its point is not on the curve")
		}
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return nil, fmt.Errorf("it has %d bits; %d to %d are accepted", bits, minRSABits, maxRSABits)
		}
	}
	return jwk.Key(), nil
}

// pinnedAlgorithms returns the algorithms that a key verifies: that of its "alg", or else the usual ones of its type.
func (m keyMembers) pinnedAlgorithms(key crypto.PublicKey) ([]string, error) {
	supported := supportedAlgorithms(key)
	if len(supported) == 0 {
		return nil, fmt.Errorf(
			"its type %q, curve %q verifies no accepted algorithm",
			refusal.Printable(m.kty),
			refusal.Printable(m.crv),
		)
	}
	if m.alg == "" {
		return usualAlgorithms(supported), nil
	}
	if algorithm := canonicalAlgorithm(m.alg); slices.Contains(supported, algorithm) {
		return []string{algorithm}, nil
	}
	return nil, fmt.Errorf(
		"its algorithm %q is not accepted for its type; accepted are %v",
		refusal.Printable(m.alg),
		supported,
	)
}

// supportedAlgorithms returns the accepted algorithms of a key's type.
func supportedAlgorithms(key crypto.PublicKey) []string {
	switch k := key.(type) {
	case ed25519.PublicKey:
		return []string{algEdDSA}
	case *ecdsa.PublicKey: // RFC 7518 section 3.4: one algorithm a curve
		return map[string][]string{"P-256": {"ES256"}, "P-384": {"ES384"}, "P-521": {"ES512"}}[k.Curve.Params().Name]
	case *rsa.PublicKey:
		return []string{"RS256", "PS256", "RS384", "RS512", "PS384", "PS512"}
	}
	return nil
}

// usualAlgorithms returns the algorithms of a key without "alg": for RSA those with SHA-256, which cover what identity
// providers sign with; another hash must be declared.
func usualAlgorithms(supported []string) []string { return supported[:min(len(supported), 2)] }
