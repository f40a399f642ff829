package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// infoTimeout limits a request for information about a server or its models.
	infoTimeout = 15 * time.Second
	// maxInfo is the maximum size of such an answer in bytes.
	maxInfo = 16 << 20
)

// GetJSON requests information from a provider, such as its list of models, once and within 15 seconds. With a body it
// is a POST request. Errors are [*Error]s.
func GetJSON(ctx context.Context, c Config, url string, header http.Header, body, answer any) error {
	client := &Client{config: c}
	ctx, cancel := context.WithTimeout(ctx, infoTimeout)
	defer cancel()
	method, content := http.MethodGet, []byte(nil)
	if body != nil {
		method = http.MethodPost
		content, _ = json.Marshal(body) // bodies are maps of strings
	}
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(content))
	if err != nil {
		return client.newError(KindBadRequest, "the provider's address is invalid")
	}
	if header != nil {
		request.Header = header.Clone()
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "errand")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := withoutRedirects(c.HTTP.Client).Do(request)
	if err != nil {
		return client.transportError(ctx, ctx, err, false)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return client.statusError(response)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxInfo+1))
	switch {
	case err != nil:
		return client.transportError(ctx, ctx, err, true)
	case len(data) > maxInfo:
		return client.newError(KindUnavailable, errTooLarge.Error())
	}
	if err := json.Unmarshal(data, answer); err != nil {
		var typed *json.UnmarshalTypeError
		if errors.As(err, &typed) {
			return nil // members of other types than expected are left out
		}
		return client.newError(KindUnavailable, "the answer is not JSON")
	}
	return nil
}
