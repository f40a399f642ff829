// Package refusal records the requests that the server refuses because of their token, origin or host. Clients get a
// message that reveals little; the operator gets a log line with the reason and a metric.
package refusal

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"errand/internal/apperr"
	"errand/internal/auth/bearer"
)

// Surface is what a request was for.
type Surface string

// The surfaces.
const (
	GraphQL Surface = "graphql"
	MCP     Surface = "mcp"
	SignIn  Surface = "sign-in"
	Admin   Surface = "admin"
	Web     Surface = "web" // any other path of the public listener
)

// Transport is how a request, or a token within a connection, arrived.
type Transport string

// The transports.
const (
	HTTP             Transport = "http"
	SSE              Transport = "sse"
	Multipart        Transport = "multipart"
	Preflight        Transport = "preflight"
	WebSocket        Transport = "websocket"      // the upgrade request
	WebSocketInit    Transport = "websocket-init" // connection_init
	Stdio            Transport = "stdio"
	WebSocketRenewal Transport = "websocket-renewal" // a token in a ping or pong
)

// Reason is why a request was refused, as in the label of the metric. The list is closed.
type Reason string

// The reasons.
const (
	NoToken         Reason = "no_token"
	Malformed       Reason = "malformed"
	TooLong         Reason = "too_long"
	BadAlgorithm    Reason = "bad_algorithm"
	BadHeader       Reason = "bad_header"
	UnknownKey      Reason = "unknown_key"
	UnusableKey     Reason = "unusable_key"
	BadSignature    Reason = "bad_signature"
	WrongIssuer     Reason = "wrong_issuer"
	WrongAudience   Reason = "wrong_audience"
	WrongParty      Reason = "wrong_party"
	Expired         Reason = "expired"
	NotYetValid     Reason = "not_yet_valid"
	MissingClaim    Reason = "missing_claim"
	BadClaim        Reason = "bad_claim"
	NoScopes        Reason = "no_scopes"
	KeysUnavailable Reason = "keys_unavailable"
	AccountDeleted  Reason = "account_deleted"
	SignedOut       Reason = "signed_out"
	UnknownToken    Reason = "unknown_token"
	BadChecksum     Reason = "bad_checksum"
	OtherUser       Reason = "other_user"
	Failed          Reason = "failed" // the token is valid, but its user could not be read
	Other           Reason = "other"
	Origin          Reason = "origin"
	Host            Reason = "host"
	Forgery         Reason = "forgery"
	NotLocal        Reason = "not_local"
	BadCredentials  Reason = "bad_credentials" // a wrong login, password, passkey or link
	RateLimited     Reason = "rate_limited"    // too many of these
)

// Reasons returns the closed list.
func Reasons() []Reason {
	return []Reason{
		NoToken, Malformed, TooLong, BadAlgorithm, BadHeader, UnknownKey, UnusableKey, BadSignature, WrongIssuer,
		WrongAudience, WrongParty, Expired, NotYetValid, MissingClaim, BadClaim, NoScopes, KeysUnavailable,
		AccountDeleted, SignedOut, UnknownToken, BadChecksum, OtherUser, Failed, Other, Origin, Host, Forgery, NotLocal,
		BadCredentials, RateLimited,
	}
}

// Causes of errors that do not implement Error.
var (
	// ErrExpired is for a token that has expired since it was verified.
	ErrExpired = errors.New("the token has expired")
	// ErrOtherUser is for a token that renews the connection of another user.
	ErrOtherUser = errors.New("the token is of another user than the connection")
	errNoToken   = errors.New("no token")
)

// Error is an error that knows its reason and the details for the log, which contain neither the token nor more than
// a short part of a claim.
type Error interface {
	error
	RefusalReason() Reason
	RefusalDetails() []slog.Attr
}

// HintOrigins is the detail of a refused origin.
const HintOrigins = "CORS_ALLOWED_ORIGINS does not list this origin"

// Recorder logs and counts refusals. A nil Recorder does nothing. It is safe for concurrent use.
type Recorder struct {
	log   *slog.Logger
	count func(Surface, Transport, Reason)
	lines lineLimiter
}

// NewRecorder returns a recorder that calls count for each refusal, and logs at most burstLines at once for each reason
// and surface and then a line every lineInterval.
func NewRecorder(log *slog.Logger, count func(Surface, Transport, Reason)) *Recorder {
	return &Recorder{log: log, count: count, lines: lineLimiter{now: time.Now}}
}

// Token records a token that was refused with err. remote is the peer's address. It does nothing when the client has
// left meanwhile.
func (r *Recorder) Token(ctx context.Context, surface Surface, transport Transport, remote string, err error) {
	if r == nil || ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return
	}
	reason, details := explain(err)
	level := slog.LevelWarn
	switch reason {
	case Expired, NoToken, AccountDeleted, SignedOut: // happens to every client
		level = slog.LevelInfo
	case Failed:
		details = append(details, slog.Any("error", errors.Unwrap(apperr.From(err))))
	}
	r.record(ctx, level, "token refused", surface, transport, reason, remote, details)
}

// NoToken records a request without a token that needs one.
func (r *Recorder) NoToken(ctx context.Context, surface Surface, transport Transport, remote string) {
	r.Token(ctx, surface, transport, remote, errNoToken)
}

// Request records a request that was refused because of its origin, host or peer. detail says more, or is "".
func (r *Recorder) Request(req *http.Request, surface Surface, transport Transport, reason Reason, detail string) {
	if r == nil {
		return
	}
	details := []slog.Attr{
		slog.String("origin", Printable(req.Header.Get("Origin"))),
		slog.String("host", Printable(req.Host)),
	}
	if detail != "" {
		details = append(details, slog.String("detail", detail))
	}
	r.record(req.Context(), slog.LevelWarn, "request refused", surface, transport, reason, req.RemoteAddr, details)
}

func (r *Recorder) record(
	ctx context.Context, level slog.Level, message string, surface Surface, transport Transport, reason Reason,
	remote string, details []slog.Attr,
) {
	r.count(surface, transport, reason)
	suppressed, ok := r.lines.take(lineKey{surface, reason})
	if !ok {
		return
	}
	if host, _, err := net.SplitHostPort(remote); err == nil {
		remote = host
	}
	attrs := append([]slog.Attr{
		slog.String("surface", string(surface)),
		slog.String("transport", string(transport)),
		slog.String("reason", string(reason)),
		slog.String("remote_ip", remote),
	}, details...)
	if suppressed > 0 {
		attrs = append(attrs, slog.Int("not_logged_before", suppressed))
	}
	r.log.LogAttrs(ctx, level, message, attrs...)
}

// explain returns the reason of a token's error, and details for the log.
func explain(err error) (Reason, []slog.Attr) {
	if known, ok := errors.AsType[Error](err); ok {
		return known.RefusalReason(), known.RefusalDetails()
	}
	for cause, reason := range map[error]Reason{
		errNoToken: NoToken, bearer.ErrMalformed: Malformed, bearer.ErrTooLong: TooLong, ErrOtherUser: OtherUser,
		ErrExpired: Expired,
	} {
		if errors.Is(err, cause) {
			return reason, nil
		}
	}
	switch apperr.CodeOf(err) {
	case apperr.Internal, apperr.Unavailable:
		return Failed, nil
	default:
		return Other, nil
	}
}

// TransportOf returns the transport of an HTTP request for GraphQL by its Accept header, as far as that is certain
// before the operation is known.
func TransportOf(r *http.Request) Transport {
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	json := strings.Contains(accept, "json")
	switch {
	case !json && strings.Contains(accept, "text/event-stream"):
		return SSE
	case !json && strings.Contains(accept, "multipart/mixed"):
		return Multipart
	default:
		return HTTP
	}
}
