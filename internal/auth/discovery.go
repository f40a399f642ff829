package auth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"errand/internal/refusal"
)

const (
	// discoveryPath is appended to an issuer (OpenID Connect Discovery 1.0 section 4).
	discoveryPath = "/.well-known/openid-configuration"
	// discoveryRefresh is the age at which a discovery document is fetched again.
	discoveryRefresh = time.Hour
	// discoveryRetry is the minimum time between two fetches.
	discoveryRetry = time.Second
	// maxMetadataBytes is the maximum size of a discovery document that is read.
	maxMetadataBytes = 256 << 10
)

// Provider is what an OpenID Connect provider publishes about itself.
type Provider struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Keys          string   `json:"jwks_uri"`
	Revocation    string   `json:"revocation_endpoint"` // "" if it has none
	Scopes        []string `json:"scopes_supported"`
	// TokenAuth are the ways in which a client may send its secret; empty means client_secret_basic.
	TokenAuth []string `json:"token_endpoint_auth_methods_supported"`
}

// Discovery finds and caches the endpoints of an OpenID Connect provider. It makes no request before its first use. It
// is safe for concurrent use.
type Discovery struct {
	issuer string
	client *http.Client
	now    func() time.Time

	ctx     context.Context // canceled by close
	cancel  context.CancelFunc
	fetches sync.WaitGroup

	mu          sync.Mutex
	provider    Provider
	fetchedAt   time.Time
	attemptedAt time.Time
	err         error         // of the last attempt
	fetching    chan struct{} // closed at the end of the running fetch; nil when none is running
}

func newDiscovery(issuer string, now func() time.Time) *Discovery {
	ctx, cancel := context.WithCancel(context.Background())
	return &Discovery{issuer: issuer, client: newJWKSClient("").client, now: now, ctx: ctx, cancel: cancel}
}

// close cancels a running fetch and waits for its end.
func (d *Discovery) close() {
	d.mu.Lock()
	d.cancel()
	d.mu.Unlock()
	d.fetches.Wait()
}

// Provider returns what the provider has published within the last hour, or what it published before if it cannot be
// reached. Errors contain neither the URL nor the response.
func (d *Discovery) Provider(ctx context.Context) (Provider, error) {
	d.mu.Lock()
	now := d.now()
	known := !d.fetchedAt.IsZero()
	due := now.Sub(d.fetchedAt) >= discoveryRefresh && now.Sub(d.attemptedAt) >= discoveryRetry
	if due && d.fetching == nil {
		d.startLocked()
	}
	fetching := d.fetching
	d.mu.Unlock()
	if !known {
		if err := waitFor(ctx, fetching); err != nil {
			return Provider{}, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fetchedAt.IsZero() {
		return Provider{}, cmp.Or(d.err, d.ctx.Err())
	}
	return d.provider, nil
}

// startLocked starts a fetch, which does not end with the request that caused it. The caller holds mu.
func (d *Discovery) startLocked() {
	if d.ctx.Err() != nil {
		return
	}
	d.attemptedAt = d.now()
	done := make(chan struct{})
	d.fetching = done
	d.fetches.Go(func() {
		ctx, cancel := context.WithTimeout(d.ctx, fetchTimeout)
		defer cancel()
		provider, err := d.fetch(ctx)
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.err = err; err == nil {
			d.provider, d.fetchedAt = provider, d.now()
		}
		d.fetching = nil
		close(done)
	})
}

// fetch reads and checks the discovery document.
func (d *Discovery) fetch(ctx context.Context) (Provider, error) {
	provider, err := fetchProvider(ctx, d.client, d.issuer)
	if err != nil {
		return Provider{}, err
	}
	if provider.Issuer != d.issuer {
		return Provider{}, &issuerMismatch{named: refusal.Printable(provider.Issuer)}
	}
	for name, address := range map[string]string{
		"authorization_endpoint": provider.Authorization,
		"token_endpoint":         provider.Token,
		"jwks_uri":               provider.Keys,
	} {
		if !d.isSafe(address) {
			return Provider{}, fmt.Errorf("the discovery document has no %s, or one that is not an https URL", name)
		}
	}
	if !d.isSafe(provider.Revocation) {
		provider.Revocation = ""
	}
	return provider, nil
}

// isSafe reports whether an address of the document may be used: an https URL, or an http URL if that of the issuer is
// one.
func (d *Discovery) isSafe(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && strings.HasPrefix(d.issuer, "http://")
}

// fetchProvider returns the discovery document of an issuer, unchecked.
func fetchProvider(ctx context.Context, client *http.Client, issuer string) (Provider, error) {
	address := strings.TrimRight(issuer, "/") + discoveryPath
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Provider{}, withoutURL(err)
	}
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return Provider{}, withoutURL(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return Provider{}, fmt.Errorf("the discovery document: status %d", response.StatusCode)
	}
	var provider Provider
	if json.NewDecoder(io.LimitReader(response.Body, maxMetadataBytes)).Decode(&provider) != nil {
		return Provider{}, errNoDiscovery
	}
	return provider, nil
}

var errNoDiscovery = errors.New("the response is not a discovery document")

// issuerMismatch is the error for a discovery document that names another issuer.
type issuerMismatch struct{ named string }

// Error implements error.
func (e *issuerMismatch) Error() string {
	return "the discovery document names the issuer " + e.named + ", which differs from AUTH_OIDC_ISSUER"
}

// ProbeProvider fetches the discovery document once and checks it as the server does. If the document names another
// issuer, named is that name.
func ProbeProvider(ctx context.Context, issuer string) (provider Provider, named string, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	provider, err = newDiscovery(issuer, time.Now).fetch(ctx)
	if mismatch, ok := errors.AsType[*issuerMismatch](err); ok {
		named = mismatch.named
	}
	return provider, named, err
}

// discoveredKeys fetches the keys at the address that the provider names. It is the fetch function of a jwksCache.
func (d *Discovery) discoveredKeys(ctx context.Context) (*keySet, error) {
	provider, err := d.Provider(ctx)
	if err != nil {
		return nil, err
	}
	return newJWKSClient(provider.Keys).fetchKeys(ctx)
}
