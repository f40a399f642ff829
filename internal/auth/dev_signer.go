package auth

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"errand/internal/apperr"
	"errand/internal/config"
	"errand/internal/viewer"

	"github.com/golang-jwt/jwt/v5"
)

// Issuer, audience and lifetimes of development tokens.
const (
	DevIssuer   = config.DevIssuer
	DevAudience = "errand"
	// DevTokenTTL is the default lifetime.
	DevTokenTTL = 24 * time.Hour
	// MaxDevTokenTTL is the longest lifetime.
	MaxDevTokenTTL = 366 * 24 * time.Hour
)

var devUserName = regexp.MustCompile(`^[A-Za-z0-9._@-]{1,64}$`)

var errNoDevSignIn = errors.New("development sign-in is off: it needs ENVIRONMENT=development, " +
	"a loopback ADDR, and neither AUTH nor the settings of an identity provider")

// DevSigner signs tokens for any user name, for development on the local machine.
type DevSigner struct {
	key []byte
	now func() time.Time
}

// OpenDevSigner returns the signer of the development sign-in. It creates the key file on first use, and
// returns an error when the configuration does not enable that sign-in.
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

// Token returns a token for user, whose name (1 to 64 letters, digits, dots, dashes, underscores or @) becomes
// both subject and display name, and the time at which it expires. A ttl of 0 means DevTokenTTL; without scopes
// the token is not limited. Invalid names and lifetimes outside a second to MaxDevTokenTTL give BAD_USER_INPUT.
func (s *DevSigner) Token(
	user string,
	ttl time.Duration,
	scopes ...viewer.Scope,
) (token string, expires time.Time, err error) {
	if !devUserName.MatchString(user) {
		return "", time.Time{}, errBadDevUser()
	}
	if ttl == 0 {
		ttl = DevTokenTTL
	}
	if ttl < time.Second || ttl > MaxDevTokenTTL {
		return "", time.Time{}, apperr.Invalid("ttl", "The lifetime must be between one second and 366 days.")
	}
	now := s.now()
	expires = now.Add(ttl).UTC().Truncate(time.Second)
	claims := jwt.MapClaims{
		"iss": DevIssuer, "aud": DevAudience, "sub": user, "name": user,
		"iat": now.Unix(), "exp": expires.Unix(),
	}
	if len(scopes) > 0 {
		claims["scp"] = scopes
	}
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(s.key)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("signing a development token: %w", err)
	}
	return token, expires, nil
}

// DevClaims returns the claims by which the development sign-in identifies a user now. Invalid names give
// BAD_USER_INPUT.
func DevClaims(user string) (Claims, error) {
	if !devUserName.MatchString(user) {
		return Claims{}, errBadDevUser()
	}
	return Claims{Issuer: DevIssuer, Subject: user, Name: user, IssuedAt: time.Now().UTC().Truncate(time.Second)}, nil
}

func errBadDevUser() error {
	return apperr.Invalid("user", "The user name must have 1 to 64 letters, digits or the characters . _ - @.")
}

// newVerifier returns a verifier that accepts only tokens of this signer.
func (s *DevSigner) newVerifier(leeway time.Duration) Verifier {
	return newJWTVerifier(tokenRules{
		algorithms: secretAlgorithms,
		issuer:     DevIssuer,
		audience:   []string{DevAudience},
		leeway:     leeway,
		now:        s.now,
	}, secretKey(s.key))
}
