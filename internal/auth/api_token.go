package auth

import (
	"strings"

	"errand/internal/apperr"
)

// APITokenPrefix begins every API token. No JSON Web Token begins with it, because those begin with the base64 of a
// brace.
const APITokenPrefix = "errand_"

// IsAPIToken reports whether a token is verified as an API token, whatever the sign-in of the server is.
func IsAPIToken(token string) bool { return strings.HasPrefix(token, APITokenPrefix) }

// RejectAPIToken returns the error for an API token that is rejected for this reason.
func RejectAPIToken(reason Reason) error {
	switch reason {
	case ReasonExpired:
		return apperr.Wrap(reason, apperr.Unauthenticated, "The API token has expired. Create a new one.")
	case ReasonRevoked:
		return apperr.Wrap(reason, apperr.Unauthenticated, "The API token was revoked.")
	default:
		return apperr.Wrap(reason, apperr.Unauthenticated, "The API token is not valid.")
	}
}
