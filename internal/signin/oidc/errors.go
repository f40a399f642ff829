package oidc

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"errand/internal/apperr"
	"errand/internal/refusal"

	"golang.org/x/oauth2"
)

// unavailable returns the error for a provider that cannot be reached.
func unavailable(cause error) error {
	return apperr.Wrap(
		cause,
		apperr.Unavailable,
		"The identity provider cannot be reached at the moment. Try again shortly.",
	)
}

func errNoSession() error {
	return apperr.New(apperr.Unauthenticated, "You are not signed in.")
}

// statusError is the status of a response of the provider.
type statusError int

// Error implements error.
func (e statusError) Error() string { return "status " + strconv.Itoa(int(e)) }

// providerError returns the error for an error code of the provider. The code may come from a browser's request.
func providerError(code string) error {
	return errors.New("the provider reports " + refusal.Printable(code))
}

// isRefusal reports whether the provider rejected a request, other than by a rate limit.
func isRefusal(err error) bool {
	var refused *oauth2.RetrieveError
	return errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode/100 == 4 &&
		refused.Response.StatusCode != http.StatusTooManyRequests
}

// redacted returns an error of the OAuth library without the provider's response and without URLs, which may contain
// tokens.
func redacted(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		status := 0
		if refused.Response != nil {
			status = refused.Response.StatusCode
		}
		return fmt.Errorf("%w: %w", statusError(status), providerError(refused.ErrorCode))
	}
	var address *url.Error
	if errors.As(err, &address) {
		return address.Err
	}
	return err
}
