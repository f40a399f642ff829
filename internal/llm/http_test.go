package llm

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startHTTP2 starts an HTTP/2 server and returns a client that trusts its certificate.
func startHTTP2(t *testing.T, h http.HandlerFunc) (*Client, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // rejected handshakes are expected
	server.StartTLS()
	client := NewHTTPClient(1)
	transport := client.Transport.(*http.Transport)
	transport.TLSClientConfig.RootCAs = x509.NewCertPool()
	transport.TLSClientConfig.RootCAs.AddCert(server.Certificate())
	t.Cleanup(func() {
		client.CloseIdleConnections()
		server.Close()
	})
	return newTestClient(HTTPOptions{Client: client, Retry: Retry{Attempts: 1}}), server.URL
}

func TestPost_HTTP2_StreamsUntilCancelled(t *testing.T) {
	version := make(chan int, 1)
	c, url := startHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		version <- r.ProtoMajor
		_, _ = io.WriteString(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // ends when the caller cancels its stream
	})
	ctx, cancel := context.WithCancel(t.Context())
	err := c.post(ctx, url, http.Header{}, nil, func(s *stream) error {
		ev, err := s.next()
		require.NoError(t, err)
		require.Equal(t, "1", string(ev.Data))
		cancel()
		_, err = s.next()
		return err
	})
	require.Equal(t, KindCancelled, KindOf(err))
	require.Equal(t, 2, <-version)
}

func TestPost_HTTP2StreamBreaks_IsTruncated(t *testing.T) {
	c, url := startHTTP2(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	var got []string
	err := c.post(t.Context(), url, http.Header{}, nil, read(&got))
	require.Equal(t, KindTruncated, KindOf(err), "%v", err)
	require.Equal(t, []string{"|1"}, got)
}

func TestPost_UntrustedCertificate_ReturnsError(t *testing.T) {
	c, url := startHTTP2(t, func(http.ResponseWriter, *http.Request) {})
	c.config.HTTP.Client = NewHTTPClient(1)
	t.Cleanup(c.config.HTTP.Client.CloseIdleConnections)
	err := c.post(t.Context(), url, http.Header{}, nil, nil)
	require.ErrorContains(t, err, "certificate is not trusted")
}

// Over HTTP/1.1 every call holds a connection until its response ends.
func TestNewHTTPClient_ManyCalls_AllInProgressAtOnce(t *testing.T) {
	const calls = 300
	var inProgress atomic.Int32
	all := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if inProgress.Add(1) == calls {
			close(all)
		}
		select {
		case <-all:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	client := NewHTTPClient(calls)
	t.Cleanup(client.CloseIdleConnections)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var requests sync.WaitGroup
	for range calls {
		requests.Go(func() {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
			if assert.NoError(t, err) {
				response, err := client.Do(request)
				if assert.NoError(t, err) {
					assert.NoError(t, response.Body.Close())
				}
			}
		})
	}
	requests.Wait()
}

func TestParseBaseURL_Addresses_AreCheckedAndNotQuoted(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:11434/v1/":    "http://127.0.0.1:11434/v1",
		" https://openrouter.ai/api/v1": "https://openrouter.ai/api/v1",
	} {
		got, err := parseBaseURL(in)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, in := range []string{
		"", "localhost:1", "ftp://x", "http://", "http://u:planted@x", "http://x?key=planted",
		"http://x/#planted", "http://%planted",
	} {
		_, err := parseBaseURL(in)
		require.Error(t, err, in)
		require.NotContains(t, err.Error(), "planted")
	}
}
