package llm_test

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"errand/internal/llm"

	"github.com/stretchr/testify/require"
)

// h2 is a TLS server that speaks HTTP/2, and a client of ours that trusts it.
func h2(t *testing.T, h http.HandlerFunc) (llm.Wire, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are wanted here
	server.StartTLS()
	client := llm.NewHTTPClient()
	transport := client.Transport.(*http.Transport)
	transport.TLSClientConfig.RootCAs = x509.NewCertPool()
	transport.TLSClientConfig.RootCAs.AddCert(server.Certificate())
	t.Cleanup(func() {
		client.CloseIdleConnections()
		server.Close()
	})
	return llm.Wire{Provider: "test", Client: client, Retry: llm.Retry{Attempts: 1}}, server.URL
}

func TestStreamsOverHTTP2(t *testing.T) {
	version := make(chan int, 1)
	w, url := h2(t, func(w http.ResponseWriter, r *http.Request) {
		version <- r.ProtoMajor
		_, _ = io.WriteString(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // ends when the caller cancels its stream
	})
	ctx, cancel := context.WithCancel(t.Context())
	err := w.Post(ctx, url, http.Header{}, nil, func(s *llm.Stream) error {
		ev, err := s.Next()
		require.NoError(t, err)
		require.Equal(t, "1", string(ev.Data))
		cancel()
		_, err = s.Next()
		return err
	})
	require.Equal(t, llm.KindCancelled, llm.KindOf(err))
	require.Equal(t, 2, <-version)
}

func TestBrokenHTTP2Stream(t *testing.T) {
	w, url := h2(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	var got []string
	err := w.Post(t.Context(), url, http.Header{}, nil, read(&got))
	require.Equal(t, llm.KindTruncated, llm.KindOf(err), "%v", err)
	require.Equal(t, []string{"|1"}, got)
}

func TestUntrustedCertificate(t *testing.T) {
	w, url := h2(t, func(http.ResponseWriter, *http.Request) {})
	w.Client = llm.NewHTTPClient()
	t.Cleanup(w.Client.CloseIdleConnections)
	err := w.Post(t.Context(), url, http.Header{}, nil, nil)
	require.ErrorContains(t, err, "certificate is not trusted")
}
