package httpapi

import (
	"net/http"
	"time"

	"errand/internal/apperr"
	"errand/internal/signin"
	"errand/internal/signin/oidc"
)

// refreshCookie is the cookie with the refresh token of a session of a built-in account. The prefix __Host- cannot be
// used: it requires the path /.
const refreshCookie = "errand_refresh"

// maxRefreshCookies is the maximum number of cookies of this name that are tried; a browser sends several if another
// path or domain has set one.
const maxRefreshCookies = 3

// sessionBody is the response to a sign-in and a refresh.
type sessionBody struct {
	AccessToken string         `json:"accessToken"`
	ExpiresAt   time.Time      `json:"expiresAt"`
	User        signin.Profile `json:"user"`
}

// begin writes the session that a sign-in has begun. Earlier sessions of the browser are ended, so that a session that
// an attacker has planted does not survive the sign-in.
func (h *Handler) begin(w http.ResponseWriter, r *http.Request, s *signin.Session) error {
	for _, old := range refreshTokens(r) {
		if err := h.Accounts.SignOut(r.Context(), old, false); err != nil {
			h.Log.WarnContext(r.Context(), "the earlier session of the browser was not ended", "error", err)
		}
	}
	if h.OIDC != nil && oidc.HasSession(r) {
		h.OIDC.ClearSession(w, r)
	}
	h.Log.InfoContext(r.Context(), "signed in", "session_id", s.ID)
	h.writeSession(w, r, s)
	return nil
}

// finishOIDC handles the redirect of the OpenID Connect provider. A sign-in there removes the cookie of a built-in
// account, which refresh would prefer. Browsers do not send that cookie with a request that another site caused: it is
// removed whether there is one or not, and its session is not ended.
func (h *Handler) finishOIDC(w http.ResponseWriter, r *http.Request) {
	h.OIDC.Callback(w, r, func() { h.setRefreshCookie(w, r, "", -1) })
}

func (h *Handler) writeSession(w http.ResponseWriter, r *http.Request, s *signin.Session) {
	h.setRefreshCookie(w, r, s.RefreshToken, int(time.Until(s.RefreshExpires)/time.Second))
	writeJSON(w, http.StatusOK, sessionBody{AccessToken: s.AccessToken, ExpiresAt: s.ExpiresAt, User: s.User})
}

// setRefreshCookie sets the cookie; a maxAge of -1 removes it.
func (h *Handler) setRefreshCookie(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name:     refreshCookie,
		Value:    value,
		Path:     h.Site.Prefix() + Path,
		MaxAge:   maxAge,
		Secure:   h.Site.IsSecure(r),
		HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
	})
}

func refreshTokens(r *http.Request) (tokens []string) {
	for _, cookie := range r.CookiesNamed(refreshCookie) {
		if cookie.Value != "" && len(tokens) < maxRefreshCookies {
			tokens = append(tokens, cookie.Value)
		}
	}
	return tokens
}

func (h *Handler) signIn(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Login    string `json:"login"`
		Password string `json:"password"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	s, err := h.Accounts.SignIn(r.Context(), caller(r), in.Login, in.Password)
	if err != nil {
		return err
	}
	return h.begin(w, r, s)
}

// refresh continues the session of the browser, that of a built-in account first. Cookies of an ended session are
// removed, those of a session that could not be checked are kept.
func (h *Handler) refresh(w http.ResponseWriter, r *http.Request) error {
	if err := decode(w, r, &struct{}{}); err != nil {
		return err
	}
	ended := error(apperr.New(apperr.Unauthenticated, "You are not signed in."))
	if h.Accounts != nil {
		for _, token := range refreshTokens(r) {
			s, err := h.Accounts.Refresh(r.Context(), token)
			if err == nil {
				h.writeSession(w, r, s)
				return nil
			}
			if apperr.CodeOf(err) != apperr.Unauthenticated {
				return err
			}
			ended = err
		}
	}
	if h.OIDC != nil && oidc.HasSession(r) {
		token, err := h.OIDC.Refresh(w, r)
		if err == nil {
			writeJSON(w, http.StatusOK, token)
			return nil
		}
		if apperr.CodeOf(err) != apperr.Unauthenticated {
			return err
		}
		ended = err
	}
	h.clearCookies(w, r)
	return ended
}

func (h *Handler) clearCookies(w http.ResponseWriter, r *http.Request) {
	if len(r.CookiesNamed(refreshCookie)) > 0 {
		h.setRefreshCookie(w, r, "", -1)
	}
	if h.OIDC != nil && oidc.HasSession(r) {
		h.OIDC.ClearSession(w, r)
	}
}

func (h *Handler) signOut(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Everywhere bool `json:"everywhere"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if h.Accounts != nil {
		for _, token := range refreshTokens(r) {
			if err := h.Accounts.SignOut(r.Context(), token, in.Everywhere); err != nil {
				return err
			}
		}
	}
	if len(r.CookiesNamed(refreshCookie)) > 0 {
		h.setRefreshCookie(w, r, "", -1)
	}
	if h.OIDC != nil && oidc.HasSession(r) {
		h.OIDC.SignOut(w, r)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// keys publishes the public keys of the server's tokens.
func (h *Handler) keys(w http.ResponseWriter, r *http.Request) {
	document, err := h.Accounts.JWKS(r.Context())
	if err != nil {
		h.writeError(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_, _ = w.Write(document) // fails only when the client has disconnected
}
