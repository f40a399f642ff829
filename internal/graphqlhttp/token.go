package graphqlhttp

import (
	"context"
	"net/http"
	"strings"
	"time"

	"errand/internal/apperr"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// identity is the result of authenticating a client; the zero value is nobody.
type identity struct {
	userID  string
	expires time.Time
}

// bearer takes the token out of an Authorization value, with or without "Bearer".
func bearer(value string) string {
	value = strings.TrimSpace(value)
	if scheme, token, ok := strings.Cut(value, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	if strings.EqualFold(value, "Bearer") {
		return ""
	}
	return value
}

// payloadToken finds the token in a connection_init, ping or pong payload: under
// authorization, Authorization or token, at the top or in headers.
func payloadToken(payload map[string]any) string {
	for _, key := range []string{"authorization", "Authorization", "token"} {
		if value, ok := payload[key].(string); ok && value != "" {
			return bearer(value)
		}
	}
	if headers, ok := payload["headers"].(map[string]any); ok {
		delete(headers, "headers") // one level is the convention
		return payloadToken(headers)
	}
	return ""
}

// authenticate verifies a token; an empty one is nobody and no fault. The error is ready
// to be shown.
func (h *Handler) authenticate(ctx context.Context, token string) (context.Context, identity, *gqlerror.Error) {
	if token == "" {
		return ctx, identity{}, nil
	}
	authenticated, userID, expires, err := h.options.Authenticate(ctx, token)
	if err == nil && !expires.IsZero() && !expires.After(time.Now()) {
		err = apperr.New(apperr.Unauthenticated, "The token has expired.")
	}
	if err != nil {
		return ctx, identity{}, h.options.ErrorPresenter(ctx, err)
	}
	return authenticated, identity{userID: userID, expires: expires}, nil
}

// headerToken takes the token from the Authorization header, the one place of a request where it is looked
// for. Of two such headers a proxy on the way and this server may each take another one.
func headerToken(header http.Header) (string, *gqlerror.Error) {
	if len(header.Values("Authorization")) > 1 {
		return "", wire(apperr.New(apperr.Unauthenticated, "Send one Authorization header."))
	}
	return bearer(header.Get("Authorization")), nil
}

// authenticateRequest authenticates by the Authorization header alone.
func (h *Handler) authenticateRequest(r *http.Request) (context.Context, identity, *problem) {
	ctx, who := r.Context(), identity{}
	token, err := headerToken(r.Header)
	if err == nil {
		ctx, who, err = h.authenticate(ctx, token)
	}
	if err == nil {
		return ctx, who, nil
	}
	p := &problem{status: http.StatusServiceUnavailable, errors: gqlerror.List{err}}
	switch codeOf(p.errors) {
	case apperr.Unauthenticated:
		p.status = http.StatusUnauthorized
		p.with("WWW-Authenticate", `Bearer error="invalid_token"`)
	case apperr.Forbidden:
		p.status = http.StatusForbidden
	}
	return ctx, who, p
}
