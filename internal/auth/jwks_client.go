package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	fetchTimeout    = 5 * time.Second
	maxKeySetBytes  = 256 << 10
	maxHeaderBytes  = 16 << 10
	keySetMediaType = "application/jwk-set+json, application/json"
)

var errKeySetTooLarge = errors.New("answer too large")

// jwksClient gets the key set from its one address, in bounded time and size.
type jwksClient struct {
	url    string
	client *http.Client
}

func newJWKSClient(address string) *jwksClient {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
		// One request in minutes: a connection kept open would only go stale.
		DisableKeepAlives: true, MaxResponseHeaderBytes: maxHeaderBytes,
	}
	return &jwksClient{url: address, client: &http.Client{
		Transport: transport,
		// The address was checked at start; where it would send us was not.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// fetch returns the published keys. Its errors hold neither the address nor the answer.
func (f *jwksClient) fetch(ctx context.Context) (*keySet, error) {
	ring, _, err := f.get(ctx)
	return ring, err
}

// get is fetch with the answer's headers.
func (f *jwksClient) get(ctx context.Context) (*keySet, http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
	if err != nil {
		return nil, nil, withoutURL(err)
	}
	request.Header.Set("Accept", keySetMediaType)
	response, err := f.client.Do(request)
	if err != nil {
		return nil, nil, withoutURL(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 == 3 {
		return nil, nil, fmt.Errorf(
			"status %d: it points elsewhere, where nobody follows: name the keys' own address",
			response.StatusCode,
		)
	}
	if response.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeySetBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > maxKeySetBytes {
		return nil, nil, errKeySetTooLarge
	}
	ring, err := parseKeySet(body)
	return ring, response.Header, err
}

// withoutURL drops the address from an error: its query may hold a key.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
