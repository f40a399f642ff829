package auth

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"errand/internal/apperr"
	"errand/internal/config"

	"github.com/golang-jwt/jwt/v5"
)

// The development sign-in's tokens.
const (
	DevIssuer   = "errand-dev"
	DevAudience = "errand"
	// DevTokenTTL is how long a development token lasts unless told otherwise.
	DevTokenTTL = 24 * time.Hour
	// MaxDevTokenTTL is the longest that can be asked for.
	MaxDevTokenTTL = 366 * 24 * time.Hour
)

var devUserName = regexp.MustCompile(`^[A-Za-z0-9._@-]{1,64}$`)

var errNoDevSignIn = errors.New("development sign-in is off: it needs ENVIRONMENT=development, " +
	"a loopback ADDR, and neither AUTH_JWKS_URL nor BETTER_AUTH_SECRET")

// DevSigner signs in anybody under any name, for development on one's own machine.
type DevSigner struct {
	key []byte
	now func() time.Time
}

// OpenDevSigner returns the signer of this configuration's development sign-in,
// creating its key file on first use. Where that sign-in is off, it is an error.
func OpenDevSigner(cfg config.Config) (*DevSigner, error) { return openDevSigner(cfg, time.Now) }

func openDevSigner(cfg config.Config, now func() time.Time) (*DevSigner, error) {
	if !cfg.DevelopmentSignIn() {
		return nil, errNoDevSignIn
	}
	key, err := LoadOrCreateDevKey(cfg.Database.DevKeyPath())
	if err != nil {
		return nil, err
	}
	return &DevSigner{key: key, now: now}, nil
}

// Token signs in user (1 to 64 letters, digits, dots, dashes, underscores or @), whose
// name is at once subject and display name. A ttl of 0 means DevTokenTTL. Other names
// and durations are refused as BAD_USER_INPUT.
func (s *DevSigner) Token(user string, ttl time.Duration) (token string, expires time.Time, err error) {
	if !devUserName.MatchString(user) {
		return "", time.Time{}, apperr.Invalid("user", "A name has 1 to 64 letters, digits or the signs . _ - @.")
	}
	if ttl == 0 {
		ttl = DevTokenTTL
	}
	if ttl < time.Second || ttl > MaxDevTokenTTL {
		return "", time.Time{}, apperr.Invalid("ttl", "A token lasts from a second to 366 days.")
	}
	now := s.now()
	expires = now.Add(ttl).UTC().Truncate(time.Second)
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": DevIssuer, "aud": DevAudience, "sub": user, "name": user,
		"iat": now.Unix(), "exp": expires.Unix(),
	}).SignedString(s.key)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("signing a development token: %w", err)
	}
	return token, expires, nil
}

// verifier accepts what Token signs, and nothing else.
func (s *DevSigner) verifier(leeway time.Duration) Verifier {
	return newJWTVerifier(tokenRules{
		algorithms: secretAlgorithms, issuer: DevIssuer, audience: []string{DevAudience},
		leeway: leeway, now: s.now,
	}, secretKeyFunc(s.key))
}
