package netlimit

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// Deadlines limits the time that a request takes to arrive and its response to be read, whatever its handler does. It
// needs an http.Server with a WriteTimeout, which resets the write deadline for each request of a connection.
type Deadlines struct {
	// Body is the maximum time from a request's header to the end of its body.
	Body time.Duration
	// Write is the maximum time for which the client may keep the writing of a response waiting. A client that reads at
	// less than 32 KiB/s uses it up over the whole response.
	Write time.Duration
}

const (
	// minBytesPerSecond is the speed at which a response must be read; see Deadlines.Write.
	minBytesPerSecond = 32 << 10
	// writeBytes is the size of the pieces in which a response is written, each with a deadline of its own.
	writeBytes = 64 << 10
	// remainderTimeout is the time for the rest of a body that the handler has not read. net/http waits for it before
	// it sends the response, so that the client can read that.
	remainderTimeout = time.Second
)

// Wrap returns next with deadlines.
//
// Each write of a stream has its own deadline: the handler sets write deadlines itself, or lifts that of the response
// once by setting the zero time with http.ResponseController; then each write may take Write. Nothing limits the time
// in which a stream is silent. A hijacked connection has no deadlines.
func (d Deadlines) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response := &response{ResponseWriter: w, control: http.NewResponseController(w), timeout: d.Write, maxWait: d.Write}
		hasBody := r.Body != nil && r.Body != http.NoBody && r.ContentLength != 0
		if !hasBody {
			response.bodyReceived(r)
			next.ServeHTTP(response, r)
		} else {
			_ = response.control.SetReadDeadline(time.Now().Add(d.Body))
			// In a copy: net/http decides by the type of the original body how it treats the rest.
			copied := *r
			copied.Body = &requestBody{ReadCloser: r.Body, request: r, response: response}
			next.ServeHTTP(response, &copied)
		}
		response.finish()
	})
}

// requestBody is a body whose read deadline ends with it: net/http reads in the background from then on, and takes a
// passed deadline for the end of the connection.
type requestBody struct {
	io.ReadCloser
	request  *http.Request
	response *response
}

// Read implements io.Reader.
func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) && !b.response.received {
		b.response.bodyReceived(b.request)
	}
	return n, err
}

// response is a ResponseWriter with deadlines. It is used by one goroutine at a time.
type response struct {
	http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration

	received bool // the request has no body, or its end was read
	begun    bool // the first byte was written
	hijacked bool
	// ownDeadline means that the handler sets write deadlines, perWrite that each write has its own.
	ownDeadline, perWrite bool
	// maxWait is for how long the client may keep the next write waiting.
	maxWait time.Duration
}

func (w *response) bodyReceived(r *http.Request) {
	w.received = true
	_ = w.control.SetReadDeadline(time.Time{})
	markReceived(r.Context())
}

// Unwrap gives http.ResponseController access to the wrapped writer.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.begin()
	}
	w.arm()
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *response) Write(p []byte) (n int, err error) {
	w.begin()
	for {
		piece := p[n:min(len(p), n+writeBytes)]
		written, err := w.timed(len(piece), func() (int, error) { return w.ResponseWriter.Write(piece) })
		n += written
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// FlushError sends what was written.
func (w *response) FlushError() error {
	w.begin()
	_, err := w.timed(0, func() (int, error) { return 0, w.control.Flush() })
	return err
}

// timed executes a write of n bytes and counts the time for which it has waited.
func (w *response) timed(n int, write func() (int, error)) (int, error) {
	w.arm()
	start := time.Now()
	written, err := write()
	earned := time.Duration(n) * time.Second / minBytesPerSecond
	w.maxWait = min(w.maxWait+earned-time.Since(start), w.timeout)
	return written, err
}

// begin limits the time for the rest of a body that the handler responds to without having read it.
func (w *response) begin() {
	if w.begun {
		return
	}
	w.begun = true
	if !w.received { // net/http waits for the rest when the response is written
		_ = w.control.SetReadDeadline(time.Now().Add(remainderTimeout))
		w.timeout += remainderTimeout
		w.maxWait += remainderTimeout
	}
}

// arm sets the deadline of the next write.
func (w *response) arm() {
	switch {
	case w.ownDeadline, w.hijacked:
	case w.perWrite:
		_ = w.control.SetWriteDeadline(time.Now().Add(w.timeout))
	default:
		_ = w.control.SetWriteDeadline(time.Now().Add(max(w.maxWait, 0)))
	}
}

// finish sets the deadlines of what net/http does after the handler.
func (w *response) finish() {
	if w.hijacked {
		return
	}
	w.begin()
	w.ownDeadline = false
	w.maxWait = max(w.maxWait, remainderTimeout)
	w.arm()
}

// SetWriteDeadline sets the deadline of the following writes. The zero time makes each write have its own.
func (w *response) SetWriteDeadline(t time.Time) error {
	w.ownDeadline, w.perWrite = !t.IsZero(), t.IsZero()
	if t.IsZero() {
		t = time.Now().Add(w.timeout)
	}
	return w.control.SetWriteDeadline(t)
}

// Hijack implements http.Hijacker.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := w.control.Hijack()
	w.hijacked = err == nil
	return conn, buffered, err
}
