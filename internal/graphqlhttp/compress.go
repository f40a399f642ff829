package graphqlhttp

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// compressors are reused: each holds most of a megabyte.
var compressors = sync.Pool{New: func() any {
	writer, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	return writer
}}

// writeBody sends body with its length, compressed when it is large and the client
// accepts gzip. A failed write needs no handling: the client is gone.
func (h *Handler) writeBody(w http.ResponseWriter, r *http.Request, status int, body *bytes.Buffer) {
	if body.Len() >= h.options.Sizes.Compress && acceptsGzip(r.Header.Values("Accept-Encoding")) {
		w.Header().Set("Content-Encoding", "gzip")
		compressed := takeBuffer()
		defer releaseBuffer(compressed)
		compress(compressed, body.Bytes())
		body = compressed
	}
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

func compress(into *bytes.Buffer, data []byte) {
	writer := compressors.Get().(*gzip.Writer)
	defer compressors.Put(writer)
	writer.Reset(into)
	_, _ = writer.Write(data) // a bytes.Buffer takes everything
	_ = writer.Close()
	writer.Reset(io.Discard)
}

// acceptsGzip reads Accept-Encoding (RFC 9110, section 12.5.3).
func acceptsGzip(headers []string) bool {
	wildcard := 0.0
	for element := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		name, weight, _ := strings.Cut(element, ";")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(weight)), "q="); ok {
			q = quality(value)
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			return q > 0
		case "*":
			wildcard = q
		}
	}
	return wildcard > 0
}
