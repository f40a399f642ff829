package llm

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// shared serves all providers of the process, so that they reuse connections.
var shared = NewHTTPClient()

// NewHTTPClient makes a client for long streaming answers: every step up to the
// request has its limit, the answer itself has none (the idle timeout of [Wire]
// and the caller's context bound it).
func NewHTTPClient() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{
		CheckRedirect: refuseRedirect,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dialer.DialContext,
			ForceAttemptHTTP2:      true,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    10 * time.Second,
			ExpectContinueTimeout:  time.Second,
			IdleConnTimeout:        90 * time.Second,
			MaxIdleConns:           64,
			MaxIdleConnsPerHost:    16,
			MaxConnsPerHost:        256,
			MaxResponseHeaderBytes: 64 << 10,
			HTTP2:                  &http.HTTP2Config{SendPingTimeout: 20 * time.Second, PingTimeout: 15 * time.Second},
		},
	}
}

// refuseRedirect keeps keys and prompts at the host they were meant for.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// withoutRedirects copies the client, whoever made it, with redirects refused.
func withoutRedirects(c *http.Client) *http.Client {
	if c == nil {
		return shared
	}
	own := *c
	own.CheckRedirect = refuseRedirect
	return &own
}

// BaseURL checks a configured provider address and returns it without a final
// slash. The error never quotes the address, which may hold a password.
func BaseURL(address string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil:
		return "", errors.New("is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("must start with http:// or https://")
	case u.Host == "":
		return "", errors.New("has no host")
	case u.User != nil:
		return "", errors.New("must not contain a user or password")
	case u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("must not contain a query or fragment")
	}
	return strings.TrimRight(u.String(), "/"), nil
}
