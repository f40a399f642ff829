package auth

import (
	"crypto"

	"github.com/golang-jwt/jwt/v5"
)

const (
	algEdDSA = "EdDSA"
	// algEd25519 is the name that RFC 9864 gives to EdDSA with Ed25519.
	algEd25519 = "Ed25519"
)

// jwksAlgorithms are the signature algorithms accepted for published keys. They are asymmetric only, so that
// a public key is never used as an HMAC secret.
var jwksAlgorithms = []string{
	algEdDSA, algEd25519, "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
}

var secretAlgorithms = []string{"HS256"}

// canonicalAlgorithm returns the name under which keys of an algorithm are stored.
func canonicalAlgorithm(algorithm string) string {
	if algorithm == algEd25519 {
		return algEdDSA
	}
	return algorithm
}

// ed25519Method is EdDSA under the name of RFC 9864.
type ed25519Method struct{ *jwt.SigningMethodEd25519 }

// Alg implements jwt.SigningMethod.
func (ed25519Method) Alg() string { return algEd25519 }

// The JWT library finds methods by their registered name.
func init() {
	jwt.RegisterSigningMethod(algEd25519, func() jwt.SigningMethod { return ed25519Method{jwt.SigningMethodEdDSA} })
}

// equalKeys reports whether two lists hold the same keys in the same order.
func equalKeys(a, b []crypto.PublicKey) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if k, ok := a[i].(interface{ Equal(crypto.PublicKey) bool }); !ok || !k.Equal(b[i]) {
			return false
		}
	}
	return true
}
