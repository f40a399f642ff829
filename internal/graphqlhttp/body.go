package graphqlhttp

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"errand/internal/apperr"
)

// readRequest reads the request of a POST or GET, within the body's limits.
func (h *Handler) readRequest(w http.ResponseWriter, r *http.Request) (request, *problem) {
	if r.Method == http.MethodGet {
		if p := checkForgery(r, h.options.Origins); p != nil {
			return request{}, p
		}
		return h.options.Sizes.decodeQuery(r.URL.RawQuery)
	}
	if p := checkContent(r.Header); p != nil {
		return request{}, p
	}
	body := takeBuffer()
	defer releaseBuffer(body)
	if p := h.readBody(w, r, body); p != nil {
		return request{}, p
	}
	return h.options.Sizes.decodeBody(body.Bytes())
}

func (h *Handler) readBody(w http.ResponseWriter, r *http.Request, into *bytes.Buffer) *problem {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(h.options.Times.Body))
	_, err := into.ReadFrom(http.MaxBytesReader(w, r.Body, h.options.Sizes.Body))
	_ = control.SetReadDeadline(time.Time{})
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return refuse(http.StatusRequestEntityTooLarge, apperr.New(apperr.BadUserInput,
			"The request body is larger than %d bytes.", h.options.Sizes.Body)).with("Connection", "close")
	case err != nil && !errors.Is(err, io.EOF):
		return refuse(http.StatusRequestTimeout, apperr.New(apperr.BadUserInput,
			"The request body did not arrive in time.")).with("Connection", "close")
	}
	return nil
}

// checkContent takes JSON in UTF-8, uncompressed. Everything that a foreign page could
// send without a preflight (forms, plain text, no type) is refused with it.
func checkContent(header http.Header) *problem {
	mediaType, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || mediaType != typeJSON {
		return unsupported("POST needs the content type application/json.").with("Accept-Post", typeJSON)
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") &&
		!strings.EqualFold(charset, "utf8") {
		return unsupported("The request must be encoded in UTF-8.")
	}
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return unsupported("Compressed requests are not supported.").with("Accept-Encoding", "identity")
	}
	return nil
}

func unsupported(message string) *problem {
	return refuse(http.StatusUnsupportedMediaType, apperr.New(apperr.BadUserInput, "%s", message))
}

// decodeQuery reads a request from the query string of a GET.
func (s Sizes) decodeQuery(raw string) (request, *problem) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return request{}, malformed("The query string is not properly encoded.")
	}
	get := map[string]string{}
	for _, name := range []string{"query", "operationName", "variables", "extensions"} {
		given := values[name]
		if len(given) > 1 {
			return request{}, malformed("The parameter %q is given twice.", name)
		}
		if len(given) == 1 {
			get[name] = given[0]
		}
		if !utf8.ValidString(get[name]) {
			return request{}, malformed("The parameter %q is not valid UTF-8.", name)
		}
	}
	r := request{query: get["query"], operationName: get["operationName"]}
	return s.decodeMaps(r, jsonParameter(get["variables"]), jsonParameter(get["extensions"]))
}

// jsonParameter is the JSON in a query parameter, nil when there is none.
func jsonParameter(s string) []byte {
	if s == "" || s == "null" {
		return nil
	}
	return []byte(s)
}
