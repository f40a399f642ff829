// Package httpapi serves the paths below /auth/: sign-in with built-in accounts and at an OpenID Connect provider, and
// the settings of an account. docs/SIGN_IN.md describes it for clients.
//
// A browser keeps its session in a cookie that only these paths receive and scripts cannot read; the page gets access
// tokens for a few minutes. Requests that change something must have the content type application/json, which pages of
// other sites cannot send without the permission of the server, and come from a page of this server (package origin).
package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"errand/internal/apperr"
	"errand/internal/auth/bearer"
	"errand/internal/origin"
	"errand/internal/refusal"
	"errand/internal/signin"
	"errand/internal/signin/oidc"
)

// Path is the prefix of all paths, and JWKSPath that of the keys, which pages of all origins may read.
const (
	Path     = "/auth/"
	JWKSPath = "/auth/jwks.json"
)

// maxBodyBytes is the maximum size of a request body. Those with passkeys contain the certificates of authenticators.
const maxBodyBytes = 64 << 10

// Accounts are the built-in accounts. signin.Service implements them.
type Accounts interface {
	SignIn(ctx context.Context, from signin.Caller, login, password string) (*signin.Session, error)
	Refresh(ctx context.Context, refreshToken string) (*signin.Session, error)
	SignOut(ctx context.Context, refreshToken string, everywhere bool) error
	CheckLink(ctx context.Context, from signin.Caller, token string) (*signin.Link, error)
	Redeem(ctx context.Context, from signin.Caller, in signin.Redemption) (*signin.Session, error)
	BeginPasskeySignIn(ctx context.Context, origin signin.Origin) (*signin.Ceremony, error)
	FinishPasskeySignIn(
		ctx context.Context, from signin.Caller, origin signin.Origin, ceremony string, credential json.RawMessage,
	) (*signin.Session, error)
	BeginPasskey(ctx context.Context, origin signin.Origin) (*signin.Ceremony, error)
	FinishPasskey(
		ctx context.Context, origin signin.Origin, ceremony string, credential json.RawMessage, name string,
	) (*signin.Passkey, error)
	DeletePasskey(ctx context.Context, id string) error
	Account(ctx context.Context) (*signin.Account, error)
	EndSession(ctx context.Context, id string) error
	ChangePassword(ctx context.Context, from signin.Caller, current, password string) error
	Invite(ctx context.Context) (*signin.NewLink, error)
	Users(ctx context.Context) ([]signin.User, error)
	JWKS(ctx context.Context) ([]byte, error)
}

// Options configure a Handler.
type Options struct {
	// Accounts are the built-in accounts; nil if they are off.
	Accounts Accounts
	// OIDC is the sign-in at a provider; nil if there is none.
	OIDC *oidc.Flow
	// Site is this server. Required.
	Site origin.Site
	// Authenticate verifies an access token and returns a context with its viewer. Required with Accounts.
	Authenticate func(ctx context.Context, token string) (context.Context, string, time.Time, error)
	// Refusals records refused credentials. Required.
	Refusals *refusal.Recorder
	// Log receives unexpected errors. Required.
	Log *slog.Logger
}

// Handler serves the paths. It is safe for concurrent use.
type Handler struct {
	Options
	mux *http.ServeMux
}

// New returns a Handler with the paths of the sign-ins that are enabled.
func New(o Options) *Handler {
	h := &Handler{Options: o, mux: http.NewServeMux()}
	for _, path := range []string{Path, strings.TrimSuffix(Path, "/")} {
		h.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			h.writeError(w, r, apperr.New(apperr.NotFound, "There is no such path, or this sign-in is off."))
		})
	}
	h.handle(http.MethodPost, "refresh", h.refresh)
	h.handle(http.MethodPost, "sign-out", h.signOut)
	if o.OIDC != nil {
		h.mux.HandleFunc("GET "+oidc.SignInPath, o.OIDC.Begin)
		h.mux.HandleFunc("GET "+oidc.CallbackPath, h.finishOIDC)
	}
	if o.Accounts == nil {
		return h
	}
	h.handle(http.MethodPost, "sign-in", h.recorded(h.signIn))
	h.handle(http.MethodPost, "link", h.recorded(h.checkLink))
	h.handle(http.MethodPost, "redeem", h.recorded(h.redeem))
	h.handle(http.MethodPost, "passkeys/sign-in/options", h.beginPasskeySignIn)
	h.handle(http.MethodPost, "passkeys/sign-in", h.recorded(h.finishPasskeySignIn))
	h.handle(http.MethodPost, "passkeys/options", h.signedIn(h.beginPasskey))
	h.handle(http.MethodPost, "passkeys", h.signedIn(h.finishPasskey))
	h.handle(http.MethodDelete, "passkeys/{id}", h.signedIn(h.deletePasskey))
	h.handle(http.MethodGet, "account", h.signedIn(h.account))
	h.handle(http.MethodDelete, "sessions/{id}", h.signedIn(h.endSession))
	h.handle(http.MethodPost, "password", h.signedIn(h.changePassword))
	h.handle(http.MethodPost, "invitations", h.signedIn(h.invite))
	h.handle(http.MethodGet, "users", h.signedIn(h.users))
	h.mux.HandleFunc("GET "+JWKSPath, h.keys)
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	h.mux.ServeHTTP(w, r)
}

// endpoint responds to a request, or returns the error to respond with.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// handle adds an endpoint, and the response to other methods at its path.
func (h *Handler) handle(method, path string, serve endpoint) {
	h.mux.HandleFunc(Path+path, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			w.Header().Set("Allow", method)
			writeStatus(w, http.StatusMethodNotAllowed, apperr.New(apperr.BadUserInput, "Use %s.", method))
			return
		}
		err := checkContentType(r)
		if err == nil {
			err = serve(w, r)
		}
		if err != nil {
			h.writeError(w, r, err)
		}
	})
}

// errContentType is the error for a request that a page of another site could send.
var errContentType = apperr.New(apperr.BadUserInput, "Send Content-Type: application/json.")

func checkContentType(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" || len(r.Header.Values("Content-Type")) != 1 {
		return errContentType
	}
	return nil
}

// recorded returns an endpoint whose failed attempts to sign in are logged and counted.
func (h *Handler) recorded(serve endpoint) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := serve(w, r)
		switch apperr.CodeOf(err) {
		case apperr.Unauthenticated, apperr.NotFound:
			h.Refusals.Request(r, refusal.SignIn, refusal.HTTP, refusal.BadCredentials, "")
		case apperr.RateLimited:
			h.Refusals.Request(r, refusal.SignIn, refusal.HTTP, refusal.RateLimited, "")
		}
		return err
	}
}

// signedIn returns an endpoint whose context has the viewer of the request's access token.
func (h *Handler) signedIn(serve endpoint) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		token, present, err := bearer.FromHeader(r.Header)
		if err == nil && !present {
			err = apperr.New(apperr.Unauthenticated, "Sign in first.")
			h.Refusals.NoToken(r.Context(), refusal.SignIn, refusal.HTTP, r.RemoteAddr)
		} else if err == nil {
			var ctx context.Context
			if ctx, _, _, err = h.Authenticate(r.Context(), token); err == nil {
				return serve(w, r.WithContext(ctx))
			}
			h.Refusals.Token(r.Context(), refusal.SignIn, refusal.HTTP, r.RemoteAddr, err)
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="errand"`)
		return err
	}
}

// caller returns where a request comes from.
func caller(r *http.Request) signin.Caller {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	return signin.Caller{Address: address, UserAgent: r.UserAgent()}
}

// origin returns the origin of the page.
func (h *Handler) origin(r *http.Request) signin.Origin { return signin.Origin(h.Site.Origin(r)) }

// decode decodes the body, one JSON object without unknown members. The error is BAD_USER_INPUT.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, end := decoder.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("text after the object")
		}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge):
		return apperr.Wrap(errTooLarge, apperr.BadUserInput, "The body is larger than %d bytes.", maxBodyBytes)
	default:
		return apperr.Wrap(err, apperr.BadUserInput, "The body is not a JSON object with the members of this path.")
	}
}

var errTooLarge = errors.New("body too large")

// statuses are the HTTP statuses of error codes; other codes have 500.
var statuses = map[apperr.Code]int{
	apperr.Unauthenticated: http.StatusUnauthorized,
	apperr.Forbidden:       http.StatusForbidden,
	apperr.NotFound:        http.StatusNotFound,
	apperr.BadUserInput:    http.StatusBadRequest,
	apperr.Conflict:        http.StatusConflict,
	apperr.RateLimited:     http.StatusTooManyRequests,
	apperr.Unavailable:     http.StatusServiceUnavailable,
}

func (h *Handler) writeError(w http.ResponseWriter, r *http.Request, err error) {
	e := apperr.From(err)
	status, ok := statuses[e.Code]
	switch {
	case !ok:
		status = http.StatusInternalServerError
		h.Log.ErrorContext(r.Context(), "sign-in failed", "path", r.Pattern, "error", errors.Unwrap(e))
	case e.Code == apperr.Unavailable && errors.Unwrap(e) != nil:
		h.Log.WarnContext(r.Context(), "sign-in failed", "path", r.Pattern, "error", errors.Unwrap(e))
	case errors.Is(err, errContentType):
		status = http.StatusUnsupportedMediaType
	case errors.Is(err, errTooLarge):
		status = http.StatusRequestEntityTooLarge
	}
	writeStatus(w, status, e)
}

// writeStatus writes an error as {"error":{"code","message"}} with the members of Extensions.
func writeStatus(w http.ResponseWriter, status int, e *apperr.Error) {
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	body := e.Extensions()
	body["message"] = e.Message
	writeJSON(w, status, map[string]any{"error": body})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only when the client has disconnected
}

// IsPath reports whether a path without the prefix is one of this package.
func IsPath(path string) bool { return strings.HasPrefix(path, Path) }

// RefuseOrigin writes the response to a request of a page of another site.
func RefuseOrigin(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	writeStatus(w, http.StatusForbidden, apperr.New(apperr.Forbidden, "Only pages of this server may send requests."))
}
