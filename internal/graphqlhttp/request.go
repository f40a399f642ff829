package graphqlhttp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"errand/internal/apperr"
	"errand/internal/auth/bearer"
	"errand/internal/graphqlhttp/exec"
	"errand/internal/refusal"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// checkHeader rejects requests that cannot be served whatever their content is.
func (h *Handler) checkHeader(r *http.Request) *exec.RequestError {
	if r.Method != http.MethodGet {
		return checkContentType(r.Header)
	}
	err := checkForgery(r)
	if err != nil {
		h.engine.Refusals().Request(r, refusal.GraphQL, refusal.TransportOf(r), refusal.Forgery,
			"Sec-Fetch-Site is "+refusal.Printable(r.Header.Get("Sec-Fetch-Site")))
	}
	return err
}

// readRequest decodes the request of a POST or GET.
func (h *Handler) readRequest(
	w http.ResponseWriter, r *http.Request, identity exec.Identity,
) (exec.Request, *exec.RequestError) {
	if r.Method == http.MethodGet {
		return h.decodeParameters(r.URL.RawQuery)
	}
	body := exec.GetBuffer()
	defer exec.PutBuffer(body)
	if err := h.readBody(w, r, identity, body); err != nil {
		return exec.Request{}, err
	}
	return h.engine.DecodeBody(body.Bytes())
}

// readBody reads a body of at most BodyBytes, or AnonymousBodyBytes. The server limits the time for it.
func (h *Handler) readBody(
	w http.ResponseWriter, r *http.Request, identity exec.Identity, into *bytes.Buffer,
) *exec.RequestError {
	limit, without := h.options.BodyBytes, ""
	if identity.UserID == "" && limit > h.options.AnonymousBodyBytes {
		limit, without = h.options.AnonymousBodyBytes, " without a token"
	}
	_, err := into.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return exec.NewRequestError(http.StatusRequestEntityTooLarge, apperr.New(apperr.BadUserInput,
			"The request body%s may have at most %d bytes.", without, limit)).WithHeader("Connection", "close")
	case err != nil && !errors.Is(err, io.EOF):
		return exec.NewRequestError(http.StatusRequestTimeout, apperr.New(apperr.BadUserInput,
			"The request body did not arrive in time.")).WithHeader("Connection", "close")
	}
	return nil
}

// checkContentType accepts only JSON in UTF-8, uncompressed. This rejects everything that a page of another origin
// could send without a preflight: forms, plain text, bodies without a type.
func checkContentType(header http.Header) *exec.RequestError {
	mediaType, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || mediaType != mediaTypeJSON {
		return unsupported("POST needs the content type application/json.").WithHeader("Accept-Post", mediaTypeJSON)
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") &&
		!strings.EqualFold(charset, "utf8") {
		return unsupported("The request must be encoded in UTF-8.")
	}
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return unsupported("Compressed requests are not supported.").WithHeader("Accept-Encoding", "identity")
	}
	return nil
}

func unsupported(message string) *exec.RequestError {
	return exec.NewRequestError(http.StatusUnsupportedMediaType, apperr.New(apperr.BadUserInput, "%s", message))
}

// decodeParameters decodes a request from the query string of a GET.
func (h *Handler) decodeParameters(raw string) (exec.Request, *exec.RequestError) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return exec.Request{}, exec.BadRequest("The query string is not properly encoded.")
	}
	parameters := map[string]string{}
	for _, name := range []string{"query", "documentId", "operationName", "variables", "extensions"} {
		given := values[name]
		if len(given) > 1 {
			return exec.Request{}, exec.BadRequest("The parameter %q is given twice.", name)
		}
		if len(given) == 1 {
			parameters[name] = given[0]
		}
		if !utf8.ValidString(parameters[name]) {
			return exec.Request{}, exec.BadRequest("The parameter %q is not valid UTF-8.", name)
		}
	}
	r := exec.Request{Query: parameters["query"], OperationName: parameters["operationName"]}
	r, invalid := r.WithDocumentID(parameters["documentId"])
	if invalid != nil {
		return r, invalid
	}
	return h.engine.DecodeMaps(r, jsonParameter(parameters["variables"]), jsonParameter(parameters["extensions"]))
}

// jsonParameter returns the JSON in a query parameter, nil when it is absent or null.
func jsonParameter(s string) []byte {
	if s == "" || s == "null" {
		return nil
	}
	return []byte(s)
}

// authenticate verifies the token in the Authorization header. A request without the header is anonymous.
func (h *Handler) authenticate(r *http.Request) (context.Context, exec.Identity, *exec.RequestError) {
	ctx, identity := r.Context(), exec.Identity{}
	var failure *gqlerror.Error
	transport := refusal.TransportOf(r)
	if isUpgrade(r) {
		transport = refusal.WebSocket
	}
	token, _, err := bearer.FromHeader(r.Header)
	if err != nil {
		h.engine.Refusals().Token(ctx, refusal.GraphQL, transport, r.RemoteAddr, err)
		failure = exec.ToGraphQLError(apperr.From(err))
	} else {
		ctx, identity, failure = h.engine.Authenticate(ctx, token, transport, r.RemoteAddr)
	}
	if failure == nil {
		return ctx, identity, nil
	}
	e := &exec.RequestError{Status: http.StatusServiceUnavailable, Errors: gqlerror.List{failure}}
	switch e.Code() {
	case apperr.Unauthenticated:
		e.Status = http.StatusUnauthorized
		e = e.WithHeader("WWW-Authenticate", `Bearer error="invalid_token"`)
	case apperr.Forbidden:
		e.Status = http.StatusForbidden
		if scope, ok := failure.Extensions["scope"].(string); ok { // RFC 6750, section 3.1
			e = e.WithHeader("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+scope+`"`)
		}
	}
	return ctx, identity, e
}
