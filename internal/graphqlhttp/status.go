package graphqlhttp

import (
	"net/http"

	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
)

// statusPartialSuccess is the status of a response with data and errors (GraphQL over HTTP, edition of September 2026).
// Clients read the body and not the status.
const statusPartialSuccess = 294

// Status is an HTTP status of a GraphQL response.
type Status struct {
	Code int
	// Meaning completes the sentence "the status means: …".
	Meaning string
}

// Statuses returns the HTTP statuses of the package, and those of the server for requests that do not reach it, in
// ascending order. The table in the documentation of the package, and that of docs/ERRORS.md, list the same.
func Statuses() []Status {
	return []Status{
		{http.StatusOK, "data without errors; with application/json every well-formed request"},
		{statusPartialSuccess, "data with errors"},
		{http.StatusBadRequest, "not a GraphQL request, or a document that cannot be parsed"},
		{http.StatusUnauthorized, "the token was rejected"},
		{http.StatusForbidden, "forbidden"},
		{http.StatusMethodNotAllowed, "a method other than POST and GET, or a mutation by GET"},
		{http.StatusNotAcceptable, "no format that Accept allows can carry the response"},
		{http.StatusRequestTimeout, "the request body did not arrive in time"},
		{http.StatusRequestEntityTooLarge, "the request body is too large"},
		{http.StatusUnsupportedMediaType, "a content type other than application/json, or compressed"},
		{http.StatusUnprocessableEntity, "the document, the variables, the operation name or the cost was rejected"},
		{http.StatusTooManyRequests, "too many requests in progress, open streams or sockets of this user"},
		{http.StatusRequestHeaderFieldsTooLarge, "the URL and headers are too large"},
		{http.StatusServiceUnavailable, "too many connections, shutdown, or the token could not be verified"},
	}
}

// rejectedStatus returns the status of a request that was rejected with the code, in the media type
// application/graphql-response+json. A hash without its document is 400, as in Apollo's protocol for persisted queries.
func rejectedStatus(code apperr.Code) int {
	switch code {
	case apperr.GraphQLParseFailed, "PERSISTED_QUERY_NOT_FOUND":
		return http.StatusBadRequest
	case apperr.Unauthenticated:
		return http.StatusUnauthorized
	case apperr.Forbidden:
		return http.StatusForbidden
	case apperr.Unavailable:
		return http.StatusServiceUnavailable
	case apperr.Internal:
		return http.StatusInternalServerError
	case apperr.RateLimited:
		return http.StatusTooManyRequests
	default:
		return http.StatusUnprocessableEntity
	}
}

// executedStatus returns the status of the response to an operation.
func executedStatus(chosen format, response *graphql.Response, code apperr.Code) int {
	switch {
	case chosen != formatResponse || len(response.Errors) == 0:
		return http.StatusOK
	case response.Data == nil:
		return rejectedStatus(code)
	default:
		return statusPartialSuccess
	}
}
