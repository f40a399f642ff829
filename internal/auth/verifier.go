package auth

import (
	"context"
	"crypto"
	"errors"
	"slices"
	"strings"
	"time"

	"errand/internal/auth/bearer"
	"errand/internal/config"

	"github.com/golang-jwt/jwt/v5"
)

// Verifier checks a token's signature, issuer, audience and validity period.
type Verifier interface {
	// Verify returns the token's claims. A rejected token gives UNAUTHENTICATED with a Reason as the cause.
	// When no keys could be fetched so far, the error is UNAVAILABLE, because the token may be valid.
	Verify(ctx context.Context, token string) (Claims, error)
}

const maxKeyIDBytes = 255

// tokenRules are the requirements on a token besides its signature.
type tokenRules struct {
	algorithms []string
	issuer     string   // "" accepts any
	audience   []string // the token must have one of them; empty accepts any
	parties    []string // the token must be issued to one of them, and may then lack an audience; empty accepts any
	// client is the client of an OpenID Connect provider, whose ID tokens have it as their only audience and may lack the
	// claims of parties; "" if there is none.
	client string
	// audienceRequired makes the audience required with parties too.
	audienceRequired bool
	// external is set for the keys of an identity provider, which verify no token with an issuer of this program.
	external bool
	leeway   time.Duration
	now      func() time.Time
}

// keySource provides the keys that verify tokens.
type keySource interface {
	// find returns the keys to try for a token with this algorithm and key ID ("" when the token has none), at least
	// one.
	find(ctx context.Context, algorithm, keyID string) (candidates, error)
	// findOther returns the keys to try after those of find did not verify a token, none if there are no others.
	findOther(ctx context.Context, algorithm, keyID string, than []crypto.PublicKey) candidates
}

// candidates are the keys to try for a token.
type candidates struct {
	keys []crypto.PublicKey
	// verified is the cache of the set that the keys are from, nil if signatures are checked each time.
	verified *signatureCache
}

// secretKey is a keySource with one secret for every token. It is only for secretAlgorithms, which are checked each
// time: that costs about as much as the hash for a signatureCache.
type secretKey []byte

func (k secretKey) find(context.Context, string, string) (candidates, error) {
	return candidates{keys: []crypto.PublicKey{[]byte(k)}}, nil
}

func (secretKey) findOther(context.Context, string, string, []crypto.PublicKey) candidates {
	return candidates{}
}

// combinedVerifier accepts the tokens of two verifiers with different algorithms. Only a token that first rejects
// because of its algorithm is passed to second.
type combinedVerifier struct{ first, second Verifier }

// Verify implements Verifier.
func (v combinedVerifier) Verify(ctx context.Context, token string) (Claims, error) {
	claims, err := v.first.Verify(ctx, token)
	if ReasonOf(err) != ReasonBadAlgorithm {
		return claims, err
	}
	claims, secondErr := v.second.Verify(ctx, token)
	if ReasonOf(secondErr) == ReasonBadAlgorithm {
		return Claims{}, err // whose details name the published keys
	}
	return claims, secondErr
}

// jwtVerifier verifies tokens against tokenRules with the keys of a keySource.
type jwtVerifier struct {
	parser *jwt.Parser
	rules  tokenRules
	keys   keySource
}

func newJWTVerifier(r tokenRules, keys keySource) *jwtVerifier {
	options := []jwt.ParserOption{
		jwt.WithValidMethods(r.algorithms), jwt.WithStrictDecoding(), jwt.WithTimeFunc(r.now),
		jwt.WithLeeway(r.leeway), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
	}
	if r.issuer != "" {
		options = append(options, jwt.WithIssuer(r.issuer))
	}
	if len(r.audience) > 0 && len(r.parties) == 0 {
		options = append(options, jwt.WithAudience(r.audience...))
	}
	return &jwtVerifier{parser: jwt.NewParser(options...), rules: r, keys: keys}
}

// Verify implements Verifier.
func (v *jwtVerifier) Verify(ctx context.Context, token string) (Claims, error) {
	if len(token) > bearer.MaxBytes {
		return Claims{}, unauthenticated(ReasonTooLong)
	}
	a := &verification{jwtVerifier: v, ctx: ctx, parts: strings.Count(token, ".") + 1}
	claims, err := a.verify(token)
	if err != nil {
		return Claims{}, a.withDetails(err)
	}
	return claims, nil
}

// verification is the verification of one token.
type verification struct {
	*jwtVerifier
	ctx    context.Context
	token  *jwt.Token
	claims jwt.MapClaims
	// parts is the number of parts of the token, separated by dots.
	parts int
	// algorithm, keyID and tried are what the signature was checked with; tried has no keys before.
	algorithm, keyID string
	tried            candidates
	// hash is that of the token, set if tried has a cache; cached reports that the cache contains it.
	hash   tokenHash
	cached bool
}

func (a *verification) verify(token string) (Claims, error) {
	if err := a.run(token); err != nil {
		return Claims{}, a.translateError(a.token, err)
	}
	if len(a.rules.parties) > 0 {
		if reason := a.rules.checkParty(a.claims); reason != "" {
			return Claims{}, unauthenticated(reason)
		}
	}
	claims, err := readClaims(a.claims)
	if err == nil && a.rules.external && config.IsReservedIssuer(claims.Issuer) {
		return Claims{}, unauthenticated(ReasonWrongIssuer)
	}
	if err == nil && a.tried.verified != nil && !a.cached {
		a.tried.verified.add(a.hash, a.rules.now(), claims.ExpiresAt)
	}
	return claims, err
}

// run verifies the token, a second time if its signature is invalid and there are other keys.
func (a *verification) run(token string) error {
	err := a.parse(token, a.findKeys)
	if len(a.tried.keys) == 0 || !errors.Is(err, jwt.ErrTokenSignatureInvalid) {
		return err
	}
	others := a.keys.findOther(a.ctx, a.algorithm, a.keyID, a.tried.keys)
	if len(others.keys) == 0 {
		return err
	}
	return a.parse(token, func(t *jwt.Token) (any, error) { return a.try(t, others), nil })
}

func (a *verification) parse(token string, keys jwt.Keyfunc) (err error) {
	// MapClaims matches names exactly; decoding into a struct would accept "SUB" for "sub".
	a.claims = jwt.MapClaims{}
	a.token, err = a.parser.ParseWithClaims(token, a.claims, keys)
	return err
}

// findKeys checks the token's header and returns the keys that may verify it.
func (a *verification) findKeys(t *jwt.Token) (any, error) {
	// A verifier must reject critical extensions that it does not implement (RFC 7515 section 4.1.11).
	if _, critical := t.Header["crit"]; critical || !isAcceptedType(t.Header["typ"]) {
		return nil, ReasonBadHeader
	}
	keyID, isText := t.Header["kid"].(string)
	if _, present := t.Header["kid"]; present && !isText || len(keyID) > maxKeyIDBytes {
		return nil, ReasonBadHeader
	}
	a.algorithm, a.keyID = canonicalAlgorithm(t.Method.Alg()), keyID
	tried, err := a.keys.find(a.ctx, a.algorithm, keyID)
	if err != nil {
		return nil, err
	}
	return a.try(t, tried), nil
}

// try returns the keys for the parser, which calls the token's method with each of them until one verifies it.
func (a *verification) try(t *jwt.Token, c candidates) jwt.VerificationKeySet {
	a.tried, a.cached = c, false
	if c.verified != nil {
		a.hash = hashToken(t.Raw)
		a.cached = c.verified.contains(a.hash, a.rules.now())
	}
	if a.cached {
		t.Method = verifiedMethod{t.Method}
	}
	set := jwt.VerificationKeySet{Keys: make([]jwt.VerificationKey, len(c.keys))}
	for i, key := range c.keys {
		set.Keys[i] = key
	}
	return set
}

// acceptedTypes are the media types of access tokens and of tokens in general, without "application/".
var acceptedTypes = []string{"jwt", "at+jwt", "jose"}

// isAcceptedType reports whether a "typ" header is that of an access token. It rejects tokens issued for other
// purposes, such as logout tokens (RFC 8725 section 3.11). Media types are compared without regard to case and
// parameters, and "application/" may be omitted (RFC 7515 section 4.1.9).
func isAcceptedType(typ any) bool {
	if typ == nil {
		return true
	}
	text, _ := typ.(string)
	essence, _, _ := strings.Cut(strings.ToLower(text), ";")
	return slices.Contains(acceptedTypes, strings.TrimPrefix(strings.TrimSpace(essence), "application/"))
}
