package auth

import (
	"context"
	"errors"
	"strings"
	"time"

	"errand/internal/refusal"
)

// JWKSReport is the result of ProbeJWKS.
type JWKSReport struct {
	// Keys is the number of usable keys.
	Keys int
	// ClockAhead is how far this machine's clock is ahead of the identity provider's, negative when it is
	// behind, to about a second. It is valid when ClockKnown is true: the response had a Date header.
	ClockAhead time.Duration
	ClockKnown bool
	// Skipped are the published keys that are not used; set also when the error is that none is.
	Skipped []SkippedKey
}

// ProbeJWKS fetches the JWK set once, as the server does. Its errors contain neither the URL nor the response.
func ProbeJWKS(ctx context.Context, url string) (JWKSReport, error) {
	started := time.Now()
	keys, header, err := newJWKSClient(url).fetch(ctx)
	var report JWKSReport
	if keys != nil {
		report = JWKSReport{Keys: len(keys.keys), Skipped: keys.skipped}
	}
	if err != nil {
		return report, err
	}
	clock := compareClock(header, started, time.Now())
	report.ClockAhead, report.ClockKnown = clock.ahead, clock.known
	return report, nil
}

// JWKSAdvice returns what to do after ProbeJWKS returned err.
func JWKSAdvice(err error) string {
	switch {
	case errors.Is(err, errNotAKeySet):
		return "set AUTH_JWKS_URL to the JWK set itself: the issuer names it as jwks_uri in " +
			"/.well-known/openid-configuration; with Better Auth it is /api/auth/jwks"
	case errors.Is(err, errRedirect):
		return "set AUTH_JWKS_URL to the address that it redirects to, and check that this machine can reach the URL"
	case errors.Is(err, errNoUsableKeys):
		return "let the identity provider sign with a supported algorithm and publish the key; " +
			"if it signs with a shared secret (HS256), set BETTER_AUTH_SECRET instead"
	case errors.Is(err, errTooManyKeys), errors.Is(err, errKeySetTooLarge):
		return "withdraw keys that are no longer used, and check that the URL is that of a JWK set"
	default:
		return "start the identity provider, and check that this machine can reach the URL"
	}
}

// ProbeIssuer returns the name that an issuer gives itself in its OpenID Connect discovery document; false when it
// publishes none.
func ProbeIssuer(ctx context.Context, issuer string) (string, bool) {
	if !strings.HasPrefix(issuer, "https://") && !strings.HasPrefix(issuer, "http://") {
		return "", false
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	provider, err := fetchProvider(ctx, newJWKSClient("").client, issuer)
	if err != nil || provider.Issuer == "" {
		return "", false
	}
	return refusal.Printable(provider.Issuer), true
}
