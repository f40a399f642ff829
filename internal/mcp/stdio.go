package mcp

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// maxLine is the largest stdio message in bytes.
const maxLine = 1 << 20

// ServeStdio serves one client over in and out, as the viewer of ctx. It returns nil when the client closes the streams
// or ctx ends.
func (s *Server) ServeStdio(ctx context.Context, in io.ReadCloser, out io.WriteCloser) error {
	l, err := s.newSubscriber(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	err = l.server.Run(ctx, &sdk.IOTransport{Reader: &withoutMark{ReadCloser: in}, Writer: out, MaxLineLength: maxLine})
	for _, end := range []error{context.Canceled, io.EOF, io.ErrClosedPipe, os.ErrClosed, syscall.EPIPE} {
		if errors.Is(err, end) {
			return nil
		}
	}
	return err
}

// byteOrderMark begins the input of some clients on Windows; it is not part of the first message.
const byteOrderMark = "\uFEFF"

// withoutMark is a reader without the byte order mark that may begin its input.
type withoutMark struct {
	io.ReadCloser
	// rest is input that was read and not returned; matched is the number of bytes of the mark so far.
	rest    []byte
	matched int
	begun   bool
}

// Read implements io.Reader. It waits for no more input than it needs to recognise the mark.
func (r *withoutMark) Read(p []byte) (int, error) {
	one := make([]byte, 1)
	for !r.begun && len(p) > 0 {
		n, err := r.ReadCloser.Read(one)
		switch {
		case n == 1 && one[0] == byteOrderMark[r.matched]:
			if r.matched++; r.matched == len(byteOrderMark) {
				r.begun = true
			}
		case n == 1:
			r.rest = append([]byte(byteOrderMark[:r.matched]), one[0])
			r.begun = true
		}
		if err != nil {
			return 0, err
		}
	}
	if len(r.rest) > 0 {
		n := copy(p, r.rest)
		r.rest = r.rest[n:]
		return n, nil
	}
	return r.ReadCloser.Read(p)
}
