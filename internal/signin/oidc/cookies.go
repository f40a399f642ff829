package oidc

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Cookies, which are also the purposes of their encryption. The session may be larger than browsers accept in one
// cookie, so that it is in several: errand_oidc, errand_oidc_1, ….
const (
	attemptCookie = "errand_oidc_state"
	sessionCookie = "errand_oidc"
	// maxCookieBytes is the size of each part; browsers accept 4,096 bytes with name and attributes.
	maxCookieBytes = 3600
	maxParts       = 5
)

func (f *Flow) setAttempt(w http.ResponseWriter, r *http.Request, a attempt) error {
	sealed, err := f.seal(r, attemptCookie, a)
	if err != nil {
		return err
	}
	cookie := f.cookie(r, attemptCookie, sealed, attemptTTL)
	cookie.SameSite = http.SameSiteLaxMode // the provider's redirect comes from another site
	http.SetCookie(w, cookie)
	return nil
}

func (f *Flow) clearAttempt(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, f.cookie(r, attemptCookie, "", -1))
}

// attempt returns the sign-in that the browser has begun, from its cookie.
func (f *Flow) attempt(r *http.Request) (a attempt, err error) {
	cookies := r.CookiesNamed(attemptCookie)
	if len(cookies) != 1 {
		return attempt{}, errors.New("the browser has begun no sign-in")
	}
	if err := f.unseal(r, attemptCookie, cookies[0].Value, &a); err != nil {
		return attempt{}, err
	}
	if !f.Now().Before(a.Expires) {
		return attempt{}, errors.New("the sign-in was begun too long ago")
	}
	return a, nil
}

func (f *Flow) setSession(w http.ResponseWriter, r *http.Request, s session) error {
	sealed, err := f.seal(r, sessionCookie, s)
	if err != nil {
		return err
	}
	if len(sealed) > maxParts*maxCookieBytes {
		return fmt.Errorf("the tokens of the provider have %d bytes, more than cookies may hold", len(sealed))
	}
	for part := range maxParts {
		name := partName(part)
		switch n := min(maxCookieBytes, len(sealed)); {
		case n > 0:
			http.SetCookie(w, f.cookie(r, name, sealed[:n], s.Ends.Sub(f.Now())))
			sealed = sealed[n:]
		case len(r.CookiesNamed(name)) > 0:
			http.SetCookie(w, f.cookie(r, name, "", -1))
		}
	}
	return nil
}

// ClearSession removes the session's cookies from the browser.
func (f *Flow) ClearSession(w http.ResponseWriter, r *http.Request) {
	for part := range maxParts {
		if name := partName(part); part == 0 || len(r.CookiesNamed(name)) > 0 {
			http.SetCookie(w, f.cookie(r, name, "", -1))
		}
	}
}

// HasSession reports whether the browser sent the cookie of a session, valid or not.
func HasSession(r *http.Request) bool { return len(r.CookiesNamed(sessionCookie)) > 0 }

// session returns the session of the browser.
func (f *Flow) session(r *http.Request) (s session, err error) {
	var sealed strings.Builder
	for part := range maxParts {
		cookies := r.CookiesNamed(partName(part))
		if len(cookies) != 1 {
			break
		}
		sealed.WriteString(cookies[0].Value)
	}
	if sealed.Len() == 0 {
		return session{}, errNoSession()
	}
	if err := f.unseal(r, sessionCookie, sealed.String(), &s); err != nil {
		return session{}, err
	}
	if !f.Now().Before(s.Ends) {
		return session{}, errNoSession()
	}
	return s, nil
}

func partName(part int) string {
	if part == 0 {
		return sessionCookie
	}
	return sessionCookie + "_" + strconv.Itoa(part)
}

// cookie returns a cookie for the paths of the sign-in, which scripts cannot read. A ttl of -1 removes it.
func (f *Flow) cookie(r *http.Request, name, value string, ttl time.Duration) *http.Cookie {
	return &http.Cookie{
		Name:     name,
		Value:    value,
		Path:     f.Site.Prefix() + "/auth/",
		MaxAge:   maxAge(ttl),
		Secure:   f.Site.IsSecure(r),
		HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
	}
}

// maxAge returns a lifetime in seconds, -1 for one that has passed.
func maxAge(ttl time.Duration) int {
	if ttl < time.Second {
		return -1
	}
	return int(ttl / time.Second)
}

func (f *Flow) seal(r *http.Request, purpose string, value any) (string, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	return f.Sealer.Seal(r.Context(), purpose, plain)
}

func (f *Flow) unseal(r *http.Request, purpose, sealed string, value any) error {
	plain, err := f.Sealer.Unseal(r.Context(), purpose, sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, value)
}

// equal reports whether two secrets are the same, in constant time. An empty secret equals none.
func equal(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
