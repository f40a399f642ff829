package mcp

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// maxLine is the longest message over stdio, in bytes.
const maxLine = 1 << 20

// ServeStdio speaks with one client over a pair of streams, as one person, until the
// client closes them or ctx ends; both are a good end.
func (s *Server) ServeStdio(ctx context.Context, in io.ReadCloser, out io.WriteCloser, caller Caller) error {
	ctx = withCaller(ctx, caller)
	l, err := s.newLive(ctx, caller)
	if err != nil {
		return err
	}
	defer l.close()
	err = l.server.Run(ctx, &sdk.IOTransport{Reader: in, Writer: out, MaxLineLength: maxLine})
	for _, end := range []error{context.Canceled, io.EOF, io.ErrClosedPipe, os.ErrClosed, syscall.EPIPE} {
		if errors.Is(err, end) {
			return nil
		}
	}
	return err
}
