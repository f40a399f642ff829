package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"errand/internal/refusal"
)

const (
	fetchTimeout    = 5 * time.Second
	maxKeySetBytes  = 256 << 10
	maxHeaderBytes  = 16 << 10
	keySetMediaType = "application/jwk-set+json, application/json"
)

// errRedirect is the error for a redirect. Its target is not configured, and may be in a private network.
var errRedirect = errors.New("redirects are not followed; configure the JWK set's own address")

var errKeySetTooLarge = fmt.Errorf("the response is larger than %d bytes", maxKeySetBytes)

// jwksClient fetches a JWK set from one URL, within fetchTimeout and maxKeySetBytes.
type jwksClient struct {
	url    string
	client *http.Client
}

func newJWKSClient(url string) *jwksClient {
	transport := &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		ForceAttemptHTTP2: true,
		// Minutes pass between two requests; a connection kept open would be stale by then.
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
	return &jwksClient{url: url, client: &http.Client{
		Transport: transport,
		// The configured URL was validated at start; the target of a redirect was not.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// fetchKeys returns the published keys. Its errors contain neither the URL nor the response.
func (c *jwksClient) fetchKeys(ctx context.Context) (*keySet, error) {
	started := time.Now()
	keys, header, err := c.fetch(ctx)
	if keys != nil {
		keys.clock = compareClock(header, started, time.Now())
	}
	return keys, err
}

// fetch returns the published keys and the header of the response.
func (c *jwksClient) fetch(ctx context.Context) (*keySet, http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return nil, nil, withoutURL(err)
	}
	request.Header.Set("Accept", keySetMediaType)
	response, err := c.client.Do(request)
	if err != nil {
		return nil, nil, withoutURL(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 == 3 {
		return nil, nil, fmt.Errorf("status %d: %w", response.StatusCode, errRedirect)
	}
	if response.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeySetBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the response: %w", err)
	}
	if len(body) > maxKeySetBytes {
		return nil, nil, errKeySetTooLarge
	}
	keys, err := parseKeySet(body)
	if errors.Is(err, errNotAKeySet) {
		err = fmt.Errorf("%w: the response is of the type %q", err,
			refusal.Printable(response.Header.Get("Content-Type")))
	}
	return keys, response.Header, err
}

// withoutURL removes the URL from an error, because its query may contain a key.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
