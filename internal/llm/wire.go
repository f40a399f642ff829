package llm

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

// DefaultIdleTimeout is how long a provider may be silent: before its first
// byte and between two lines of its stream.
const DefaultIdleTimeout = 60 * time.Second

// maxProblem bounds how much of an error report is read, in bytes.
const maxProblem = 64 << 10

// Wire is the HTTP side of a provider. The zero value of every field but
// Provider means the default. A Wire is safe for concurrent use.
type Wire struct {
	// Provider names the provider in errors and logs.
	Provider string
	// Client carries the requests; default one shared by the process. Redirects are refused in any case.
	Client *http.Client
	// IdleTimeout is the longest silence; default [DefaultIdleTimeout].
	IdleTimeout time.Duration
	// MaxAnswer bounds an answer in bytes; default [DefaultMaxAnswer].
	MaxAnswer int64
	// Retry is the policy for failures before the first byte of an answer.
	Retry Retry
	// Log receives one warning a retry; default slog.Default.
	Log *slog.Logger
}

// Post sends body to url and hands a successful answer to read. Failures before
// the first byte of an answer are repeated by the policy; later ones never.
// The error is an *Error, and one is returned whenever ctx has ended.
func (w *Wire) Post(ctx context.Context, url string, header http.Header, body []byte, read func(*Stream) error) error {
	policy := w.Retry.withDefaults()
	for attempt := 1; ; attempt++ {
		begun, err := w.once(ctx, url, header, body, read)
		if err == nil || ctx.Err() != nil {
			return w.ended(ctx, err)
		}
		var e *Error
		if begun || !errors.As(err, &e) || !retryable(e.Kind) {
			return err
		}
		pause, again := policy.wait(ctx, attempt, e.RetryAfter)
		if !again {
			return err
		}
		w.logger().WarnContext(ctx, "model call failed, trying again", "provider", w.Provider,
			"kind", string(e.Kind), "status", e.Status, "attempt", attempt, "wait", pause)
		if policy.Sleep(ctx, pause) != nil {
			return w.ended(ctx, err)
		}
	}
}

// ended turns any outcome under an ended context into that context's error.
func (w *Wire) ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return w.contextError(ctx)
}

// once makes one attempt and reports whether a byte of an answer had arrived.
func (w *Wire) once(
	ctx context.Context,
	url string,
	header http.Header,
	body []byte,
	read func(*Stream) error,
) (bool, error) {
	attempt, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := w.IdleTimeout
	if idle <= 0 {
		idle = DefaultIdleTimeout
	}
	timer := time.AfterFunc(idle, func() { cancel(errIdle) })
	defer timer.Stop()

	req, err := http.NewRequestWithContext(attempt, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false, w.fail(KindBadRequest, "the provider's address is not usable")
	}
	req.Header = header.Clone()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "errand")
	resp, err := withoutRedirects(w.Client).Do(req)
	if err != nil {
		return false, w.transportError(ctx, attempt, err, false)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return false, w.refused(resp)
	}
	timer.Stop()
	s := &Stream{
		wire:    w,
		ctx:     ctx,
		attempt: attempt,
		body:    bufio.NewReaderSize(resp.Body, 32<<10),
		timer:   timer,
		idle:    idle,
		limit:   w.MaxAnswer,
	}
	if s.limit <= 0 {
		s.limit = DefaultMaxAnswer
	}
	err = read(s)
	return s.read > 0, err
}

// refused maps an HTTP error. The report's text is read for its codes and dropped.
func (w *Wire) refused(resp *http.Response) error {
	report, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	p, _ := parseProblem(report)
	e := w.fail(p.kind(resp.StatusCode), p.known())
	e.Status = resp.StatusCode
	e.RetryAfter = max(retryAfter(resp.Header, w.Retry.withDefaults().Now()), p.wait)
	switch {
	case resp.StatusCode < 400:
		e.Detail = "redirects are not followed"
	case resp.StatusCode == http.StatusNotFound, p.known() == "model_not_found":
		e.Detail = "there is no such model, or not at this address"
	}
	return e
}

func (w *Wire) fail(k Kind, detail string) *Error {
	return &Error{Kind: k, Provider: w.Provider, Detail: detail}
}

func (w *Wire) contextError(ctx context.Context) *Error {
	e := w.fail(KindCancelled, "")
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.Kind = KindTimeout
	}
	e.cause = ctx.Err()
	return e
}

// transportError maps a failure of the connection. begun says that part of the
// answer had arrived.
func (w *Wire) transportError(ctx, attempt context.Context, err error, begun bool) *Error {
	if ctx.Err() != nil {
		return w.contextError(ctx)
	}
	if errors.Is(context.Cause(attempt), errIdle) {
		return w.fail(KindTimeout, "the provider sent nothing for too long")
	}
	e := w.fail(KindUnavailable, "the connection failed")
	if begun {
		e = w.fail(KindTruncated, "the connection broke inside the answer")
	}
	e.cause = safeCause(err)
	return e
}

// safeCause keeps of a transport error only what cannot quote a header, an
// address's secrets or the server's bytes.
func safeCause(err error) error {
	var errno syscall.Errno
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &errno):
		return errno
	case errors.As(err, &dns):
		return errors.New("the host name cannot be resolved")
	case errors.As(err, &cert):
		return errors.New("the server's certificate is not trusted")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		return io.EOF
	default:
		return nil
	}
}

func (w *Wire) logger() *slog.Logger {
	if w.Log != nil {
		return w.Log
	}
	return slog.Default()
}
