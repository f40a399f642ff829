package llm

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Retry is the retry policy for requests that got no byte of a response. The zero value means the defaults.
type Retry struct {
	// Attempts is the number of attempts, the first included; default 3, 1 disables retries.
	Attempts int
	// Base is the longest first delay; the delay doubles with each attempt and is reduced at random by up to half.
	// Default 500 ms.
	Base time.Duration
	// Max is the longest delay; default 20 s. If a provider requests a longer one, there is no retry; the error carries
	// the requested delay for the caller's own scheduling.
	Max time.Duration
}

func (r Retry) withDefaults() Retry {
	if r.Attempts <= 0 {
		r.Attempts = 3
	}
	if r.Base <= 0 {
		r.Base = 500 * time.Millisecond
	}
	if r.Max <= 0 {
		r.Max = 20 * time.Second
	}
	return r
}

// retryable reports whether a request that got no response may be sent again. A timeout may not: the provider has
// already had its full time.
func retryable(e *Error) bool {
	if e.Reason.permanent() {
		return false
	}
	return e.Kind == KindRateLimit || e.Kind == KindOverloaded || e.Kind == KindUnavailable
}

// post sends body to url and passes a successful response to read. Failures before the first byte of a response are
// retried by the policy, later ones never. The error is an *Error; if ctx has ended, it is never nil.
func (c *Client) post(
	ctx context.Context,
	url string,
	header http.Header,
	body []byte,
	read func(*stream) error,
) error {
	policy := c.config.HTTP.Retry.withDefaults()
	delays := newRetryDelays(ctx, policy)
	attempts := 0
	_, err := backoff.Retry(
		ctx,
		func() (struct{}, error) {
			attempts++
			begun, err := c.attempt(ctx, url, header, body, read)
			delays.begun, delays.err = begun, err
			return struct{}{}, err
		},
		backoff.WithBackOff(delays),
		backoff.WithMaxTries(uint(policy.Attempts)),
		backoff.WithMaxElapsedTime(0), // the context and the number of attempts are the limits
		backoff.WithNotify(func(err error, delay time.Duration) {
			var e *Error
			errors.As(err, &e)
			c.logger().WarnContext(ctx, "model call failed, retrying", "provider", c.config.Provider,
				"kind", string(e.Kind), "status", e.Status, "attempt", attempts, "wait", delay)
		}),
	)
	if ctx.Err() != nil {
		return c.contextError(ctx)
	}
	return err
}

// retryDelays is the [backoff.BackOff] of one request. It stops after errors that must not be retried.
type retryDelays struct {
	ctx         context.Context
	policy      Retry
	exponential *backoff.ExponentialBackOff
	// begun and err are the outcome of the last attempt.
	begun bool
	err   error
}

// newRetryDelays returns delays between one half of and the whole of the exponential interval. The jitter prevents
// replicas that failed together from retrying together.
func newRetryDelays(ctx context.Context, p Retry) *retryDelays {
	return &retryDelays{ctx: ctx, policy: p, exponential: &backoff.ExponentialBackOff{
		InitialInterval:     min(p.Base, p.Max) * 3 / 4,
		RandomizationFactor: 1.0 / 3,
		Multiplier:          2,
		MaxInterval:         p.Max * 3 / 4,
	}}
}

// Reset implements [backoff.BackOff].
func (d *retryDelays) Reset() { d.exponential.Reset() }

// NextBackOff implements [backoff.BackOff]. A delay that the provider requested replaces the exponential one. A delay
// beyond the caller's deadline is not started.
func (d *retryDelays) NextBackOff() time.Duration {
	var e *Error
	if d.begun || !errors.As(d.err, &e) || !retryable(e) || e.RetryAfter > d.policy.Max {
		return backoff.Stop
	}
	delay := d.exponential.NextBackOff()
	if e.RetryAfter > 0 {
		delay = e.RetryAfter + rand.N(d.policy.Base)
	}
	if deadline, ok := d.ctx.Deadline(); ok && deadline.Before(time.Now().Add(delay)) {
		return backoff.Stop
	}
	return delay
}

func (c *Client) logger() *slog.Logger {
	if c.config.HTTP.Log != nil {
		return c.config.HTTP.Log
	}
	return slog.Default()
}

// retryAfter returns the delay that the response headers request: milliseconds, seconds or an HTTP date; 0 for none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	v := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 && s < 1e6 {
		return time.Duration(s * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
