package harness

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// Browser is a client with cookies that sends the requests of the page to the paths below /auth/. It does not follow
// redirects.
type Browser struct {
	// Client has the cookies.
	Client *http.Client
	// URL is that of the server.
	URL string
	// Header is added to each request.
	Header http.Header
}

// NewBrowser returns a browser without cookies.
func NewBrowser(t testing.TB, url string) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &Browser{
		URL:    url,
		Header: http.Header{"Origin": {url}},
		Client: &http.Client{
			Jar:           jar,
			Timeout:       testclient.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Answer is the response to a request of a browser.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Decode decodes the body.
func (a Answer) Decode(t testing.TB, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(a.Body), into), a.Body)
}

// Code returns the code of an error, "" if the body has none.
func (a Answer) Code() string {
	var body struct {
		Error struct{ Code string }
	}
	_ = json.Unmarshal([]byte(a.Body), &body)
	return body.Error.Code
}

// Do sends a request with a JSON body, or without one for nil. Headers of more replace those of the browser; empty ones
// are left out.
func (b *Browser) Do(t testing.TB, method, path string, body any, more ...http.Header) Answer {
	t.Helper()
	var text []byte
	if body != nil {
		var err error
		text, err = json.Marshal(body)
		require.NoError(t, err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, b.URL+path, bytes.NewReader(text))
	require.NoError(t, err)
	if method != http.MethodGet {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, header := range append([]http.Header{b.Header}, more...) {
		for name, values := range header {
			if r.Header[name] = values; len(values) == 0 {
				delete(r.Header, name)
			}
		}
	}
	response, err := b.Client.Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return Answer{Status: response.StatusCode, Header: response.Header, Body: string(content)}
}

// Post sends a POST request with a JSON body.
func (b *Browser) Post(t testing.TB, path string, body any, more ...http.Header) Answer {
	t.Helper()
	return b.Do(t, http.MethodPost, path, body, more...)
}

// SignedIn is the response to a sign-in.
type SignedIn struct {
	AccessToken string    `json:"accessToken"`
	ExpiresAt   time.Time `json:"expiresAt"`
	User        struct {
		Login, Name, Role string
	} `json:"user"`
}

// Session sends a POST request that must return a session.
func (b *Browser) Session(t testing.TB, path string, body any) (s SignedIn) {
	t.Helper()
	answer := b.Post(t, path, body)
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	answer.Decode(t, &s)
	require.NotEmpty(t, s.AccessToken)
	return s
}

// Cookie returns the value of a cookie for the paths of the sign-in, "" if there is none.
func (b *Browser) Cookie(t testing.TB, name string) string {
	t.Helper()
	address, err := url.Parse(b.URL + "/auth/")
	require.NoError(t, err)
	for _, cookie := range b.Client.Jar.Cookies(address) {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	return ""
}

// SetCookie replaces the value of a cookie for the paths of the sign-in.
func (b *Browser) SetCookie(t testing.TB, name, value string) {
	t.Helper()
	address, err := url.Parse(b.URL + "/auth/")
	require.NoError(t, err)
	b.Client.Jar.SetCookies(address, []*http.Cookie{{Name: name, Value: value, Path: "/auth/"}})
}

// Bearer returns the header with an access token.
func Bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// LocalAccounts are the settings of a server with built-in accounts alone.
var LocalAccounts = Settings{"BETTER_AUTH_SECRET": "", "AUTH": "local"}

// Password is the password of all accounts of tests.
const Password = "correct horse battery"

// LinkToken returns the token of a link that creates an account or sets a password.
func LinkToken(t testing.TB, link string) string {
	t.Helper()
	_, token, ok := strings.Cut(link, "/#/join/")
	require.True(t, ok, link)
	require.Regexp(t, `^[A-Za-z0-9_-]{20,}$`, token)
	return token
}

// SetUp creates the owner's account with the link of the server's start, and returns its browser and session.
func (e *Env) SetUp(t testing.TB, login string) (*Browser, SignedIn) {
	t.Helper()
	b := NewBrowser(t, e.URL())
	s := b.Session(t, "/auth/redeem", map[string]string{
		"token": LinkToken(t, e.SetUpURL()), "login": login, "password": Password,
	})
	return b, s
}

// Invite creates an account with an invitation of the owner, and returns its browser and session.
func Invite(t testing.TB, url string, owner *Browser, access, login string) (*Browser, SignedIn) {
	t.Helper()
	answer := owner.Post(t, "/auth/invitations", struct{}{}, Bearer(access))
	require.Equal(t, http.StatusCreated, answer.Status, answer.Body)
	var invitation struct{ URL string }
	answer.Decode(t, &invitation)
	b := NewBrowser(t, url)
	return b, b.Session(t, "/auth/redeem", map[string]string{
		"token": LinkToken(t, invitation.URL), "login": login, "password": Password,
	})
}
