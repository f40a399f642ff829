package signin

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"errand/ent"
	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/viewer"

	"github.com/golang-jwt/jwt/v5"
)

// signAccessToken returns an access token of a session and when it expires. It has all scopes by name, so that it is
// accepted where tokens without scopes are refused.
func (r *keyring) signAccessToken(
	ctx context.Context, row *ent.SignInSession,
) (token string, expires time.Time, err error) {
	keys, err := r.loadKeys(ctx, keysTTL)
	if err != nil {
		return "", time.Time{}, err
	}
	now := r.now().UTC()
	expires = now.Add(AccessTokenTTL).Truncate(time.Second)
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"iss":             keys.issuer,
		"aud":             keys.issuer,
		"sub":             row.LoginID,
		"iat":             now.Unix(),
		"exp":             expires.Unix(),
		"scp":             viewer.AllScopes(),
		auth.ClaimSession: row.ID,
		auth.ClaimUser:    row.UserID,
	})
	t.Header["kid"], t.Header["typ"] = keys.current.id, "at+jwt"
	if token, err = t.SignedString(keys.current.key); err != nil {
		return "", time.Time{}, fmt.Errorf("signing an access token: %w", err)
	}
	return token, expires, nil
}

// Verifier returns the verifier of access tokens, for auth.Service.AcceptIssuer. issuer is the result of Issuer.
func (s *Service) Verifier(issuer string, leeway time.Duration) auth.Verifier {
	return verifier{
		tokens:    auth.NewLocalVerifier(issuer, leeway, s.now, s.publicKey),
		isRevoked: s.isRevoked,
	}
}

// publicKey implements auth.LocalKeys.
func (r *keyring) publicKey(ctx context.Context, id string) (ed25519.PublicKey, error) {
	for _, maxAge := range []time.Duration{keysTTL, keysMinAge} { // the key may be a new one
		keys, err := r.loadKeys(ctx, maxAge)
		if err != nil {
			return nil, err
		}
		if key := keys.public[id]; key != nil {
			return key, nil
		}
	}
	return nil, nil
}

type verifier struct {
	tokens    auth.Verifier
	isRevoked func(credentialID string) bool
}

// Verify implements auth.Verifier.
func (v verifier) Verify(ctx context.Context, token string) (auth.Claims, error) {
	claims, err := v.tokens.Verify(ctx, token)
	if err == nil && v.isRevoked(claims.CredentialID) {
		return auth.Claims{}, apperr.Wrap(auth.ReasonRevoked, apperr.Unauthenticated,
			"This session has ended. Sign in again.")
	}
	return claims, err
}
