package graphqlhttp

import (
	"compress/gzip"
	"maps"
	"net/http"
	"strconv"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/exec"

	"github.com/99designs/gqlgen/graphql"
	"github.com/klauspost/compress/gzhttp"
)

// newCompressor returns the gzip middleware of single responses of at least minBytes. Streams do not pass through it.
func newCompressor(minBytes int) func(http.Handler) http.HandlerFunc {
	wrap, err := gzhttp.NewWrapper(
		gzhttp.MinSize(minBytes),
		gzhttp.CompressionLevel(gzip.BestSpeed),
		gzhttp.ContentTypes([]string{mediaTypeJSON, mediaTypeResponse}),
	)
	if err != nil {
		panic("graphqlhttp: invalid options for gzip: " + err.Error())
	}
	return wrap
}

// writeResponse writes a single response as JSON.
func (h *Handler) writeResponse(
	w http.ResponseWriter, r *http.Request, status int, chosen format, response *graphql.Response,
) {
	body := exec.GetBuffer()
	defer exec.PutBuffer(body)
	exec.WriteResponse(body, response)
	setContentType(w.Header(), chosen)
	h.compress(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
		w.WriteHeader(status)
		_, _ = w.Write(body.Bytes())
	})).ServeHTTP(w, r)
	_ = http.NewResponseController(w).Flush() // fails only if the client has left
}

func setContentType(header http.Header, chosen format) {
	contentType := mediaTypeJSON
	if chosen == formatResponse {
		contentType = mediaTypeResponse
	}
	header.Set("Content-Type", contentType+"; charset=utf-8")
}

// writeStreamed writes a single response with streamed values. When one cannot be written to its end, it closes the
// connection, so that the client does not take the response for complete.
func (h *Handler) writeStreamed(
	w http.ResponseWriter, r *http.Request, status int, chosen format, response *graphql.Response, op *exec.Operation,
) {
	body := exec.GetBuffer()
	defer exec.PutBuffer(body)
	exec.WriteResponse(body, response)
	setContentType(w.Header(), chosen)
	h.compress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		if err := op.WriteStreamed(r.Context(), w, body.Bytes()); err != nil {
			panic(http.ErrAbortHandler)
		}
	})).ServeHTTP(w, r)
}

// writeRequestError writes the response to a request that was not executed.
func (h *Handler) writeRequestError(w http.ResponseWriter, r *http.Request, err *exec.RequestError) {
	chosen := parseAccept(r.Header.Values("Accept")).choose(offerResponse, offerJSON)
	if chosen == formatNone {
		chosen = formatJSON
	}
	status := err.Status
	switch {
	case status != 0:
	case chosen == formatResponse:
		status = rejectedStatus(err.Code())
	default:
		status = http.StatusOK
	}
	maps.Copy(w.Header(), err.Header)
	h.writeResponse(w, r, status, chosen, exec.ErrorResponse(err.Errors...))
}

const allowedMethods = "GET, POST, OPTIONS"

func methodNotAllowed(message string) *exec.RequestError {
	return exec.NewRequestError(
		http.StatusMethodNotAllowed,
		apperr.New(apperr.BadUserInput, "%s", message),
	).WithHeader("Allow", allowedMethods)
}

func notAcceptable(message string) *exec.RequestError {
	return exec.NewRequestError(http.StatusNotAcceptable, apperr.New(apperr.BadUserInput, "%s", message))
}
