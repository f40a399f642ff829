package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	tokenSecret = "a secret of the benchmark that is long enough"
	// issuer is also the audience of the tokens.
	issuer = "bench"
)

// keys signs the tokens of the users, as Better Auth does: HS256 with a shared secret, or EdDSA with a key that the
// issuer publishes.
type keys struct {
	ed25519 ed25519.PrivateKey
	jwksURL string
}

// newKeys creates a key and serves its JWK set until the program ends.
func newKeys() (*keys, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	set, err := json.Marshal(map[string]any{"keys": []any{map[string]any{
		"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "bench", "x": base64.RawURLEncoding.EncodeToString(public),
	}}})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return &keys{ed25519: private, jwksURL: "http://" + listener.Addr().String() + "/jwks"}, nil
}

// sign returns a token that is valid for a day, with the claims of Better Auth's tokens.
func (k *keys) sign(subject string, eddsa bool) (string, error) {
	now := time.Now()
	claims := jwt.MapClaims{
		"sub": subject, "iss": issuer, "aud": issuer, "iat": now.Unix(), "exp": now.Add(24 * time.Hour).Unix(),
		"id": subject, "name": "Person " + subject, "email": subject + "@example.com", "emailVerified": true,
	}
	if !eddsa {
		return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(tokenSecret))
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	token.Header["kid"] = issuer
	return token.SignedString(k.ed25519)
}
