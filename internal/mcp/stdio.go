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
	err = l.server.Run(ctx, &sdk.IOTransport{Reader: in, Writer: out, MaxLineLength: maxLine})
	for _, end := range []error{context.Canceled, io.EOF, io.ErrClosedPipe, os.ErrClosed, syscall.EPIPE} {
		if errors.Is(err, end) {
			return nil
		}
	}
	return err
}
