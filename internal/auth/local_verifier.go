package auth

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"strings"
	"sync"
	"time"

	"errand/internal/auth/bearer"
	"errand/internal/config"
	"errand/internal/ids"
)

// Claims of the access tokens that this server issues itself.
const (
	// ClaimSession is the ID of the sign-in session, Claims.CredentialID.
	ClaimSession = "sid"
	// ClaimUser is the ID of the user's row, Claims.UserID.
	ClaimUser = "uid"
)

// AccountIssuerPrefix begins the issuer of the tokens of built-in accounts.
const AccountIssuerPrefix = config.AccountIssuerPrefix

// LocalKeys returns the public key with an ID, nil if there is none. It is called for each token.
type LocalKeys func(ctx context.Context, keyID string) (ed25519.PublicKey, error)

// NewLocalVerifier returns the verifier of access tokens that this server issues itself, with EdDSA.
func NewLocalVerifier(issuer string, leeway time.Duration, now func() time.Time, keys LocalKeys) Verifier {
	return localVerifier{newJWTVerifier(tokenRules{
		algorithms: []string{algEdDSA},
		issuer:     issuer,
		audience:   []string{issuer},
		leeway:     leeway,
		now:        now,
	}, &localKeys{lookup: keys, verified: map[string]candidates{}})}
}

type localVerifier struct{ *jwtVerifier }

// Verify implements Verifier.
func (v localVerifier) Verify(ctx context.Context, token string) (Claims, error) {
	if len(token) > bearer.MaxBytes {
		return Claims{}, unauthenticated(ReasonTooLong)
	}
	a := &verification{jwtVerifier: v.jwtVerifier, ctx: ctx, parts: strings.Count(token, ".") + 1}
	claims, err := a.verify(token)
	if err != nil {
		return Claims{}, a.withDetails(err)
	}
	claims.CredentialID, _ = a.claims[ClaimSession].(string)
	claims.UserID, _ = a.claims[ClaimUser].(string)
	if !ids.Is(claims.CredentialID, ids.SignInSession) || !ids.Is(claims.UserID, ids.User) {
		return Claims{}, unauthenticated(ReasonBadClaim)
	}
	return claims, nil
}

// localKeys is the keySource of LocalKeys. It keeps a signature cache for each key.
type localKeys struct {
	lookup LocalKeys

	mu       sync.Mutex
	verified map[string]candidates
}

func (k *localKeys) find(ctx context.Context, _, keyID string) (candidates, error) {
	key, err := k.lookup(ctx, keyID)
	if err != nil {
		return candidates{}, err
	}
	if key == nil {
		return candidates{}, unauthenticated(ReasonUnknownKey)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.verified[keyID]
	if !ok || !key.Equal(c.keys[0]) {
		c = candidates{keys: []crypto.PublicKey{key}, verified: &signatureCache{}}
		k.verified[keyID] = c
	}
	return c, nil
}

func (*localKeys) findOther(context.Context, string, string, []crypto.PublicKey) candidates {
	return candidates{}
}
