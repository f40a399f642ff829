package llm

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// line is a part of a response body and the delay before it.
type line struct {
	after time.Duration
	text  string
}

// slowTransport is a transport that sends lines with their delays, by the clock of the test bubble.
type slowTransport []line

func (d slowTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	out, in := io.Pipe()
	stop := context.AfterFunc(r.Context(), func() { _ = in.CloseWithError(context.Cause(r.Context())) })
	go func() {
		defer stop()
		for _, l := range d {
			select {
			case <-time.After(l.after):
			case <-r.Context().Done():
				_ = in.CloseWithError(context.Cause(r.Context()))
				return
			}
			if _, err := io.WriteString(in, l.text); err != nil {
				return
			}
		}
		_ = in.Close()
	}()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: out}, nil
}

// read collects all events as "name|data".
func read(got *[]string) func(*stream) error {
	return func(s *stream) error {
		for {
			ev, err := s.next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			*got = append(*got, ev.Name+"|"+string(ev.Data))
		}
	}
}

// newTestClient returns a client without a wire format, for tests of the HTTP exchange.
func newTestClient(o HTTPOptions) *Client {
	return NewClient(Config{Provider: "test", Model: "test", HTTP: o}, nil)
}

// post requests a response from rt and passes its stream to f.
func post(ctx context.Context, rt http.RoundTripper, f func(*stream) error) error {
	c := newTestClient(HTTPOptions{Client: &http.Client{Transport: rt}})
	return c.post(ctx, "http://provider.test/x", http.Header{}, nil, f)
}

func TestPost_SlowLines_IdleTimeoutIsPerLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines slowTransport
		for range 10 {
			lines = append(lines, line{59 * time.Second, "data: x\n\n"})
		}
		var got []string
		start := time.Now()
		require.NoError(t, post(t.Context(), lines, read(&got)))
		require.Len(t, got, 10)
		require.Equal(t, 590*time.Second, time.Since(start))
	})
}

func TestPost_Silence_TimesOut(t *testing.T) {
	for name, c := range map[string]struct {
		lines slowTransport
		at    time.Duration
	}{
		"before the first line": {slowTransport{{time.Hour, "data: x\n\n"}}, 60 * time.Second},
		"between lines": {
			slowTransport{{time.Second, "data: x\n\n"}, {61 * time.Second, "data: y\n\n"}},
			61 * time.Second,
		},
		"a line that never ends": {slowTransport{{time.Second, "data: "}, {40 * time.Second, "x"}, {
			40 * time.Second,
			"x",
		}}, 61 * time.Second},
		"a whole answer in slow pieces": {slowTransport{{time.Second, "{"}, {61 * time.Second, "}"}}, 61 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []string
				start := time.Now()
				err := post(t.Context(), c.lines, read(&got))
				require.Equal(t, KindTimeout, KindOf(err), "%v", err)
				require.Equal(t, c.at, time.Since(start))
				synctest.Wait()
			})
		})
	}
}

func TestPost_SlowReceiver_DoesNotTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := post(t.Context(), slowTransport{{0, "data: x\n\n"}, {0, "data: y\n\n"}}, func(s *stream) error {
			for {
				if _, err := s.next(); err != nil {
					if errors.Is(err, io.EOF) {
						return nil
					}
					return err
				}
				<-time.After(10 * time.Minute) // time in the receiver does not count
			}
		})
		require.NoError(t, err)
	})
}

func TestShortenIdle_AfterStopReason_WaitsBriefly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := post(t.Context(), slowTransport{{0, "data: x\n\n"}, {time.Hour, "data: y\n\n"}}, func(s *stream) error {
			_, err := s.next()
			require.NoError(t, err)
			s.shortenIdle()
			_, err = s.next()
			require.True(t, s.interrupted(err))
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, 5*time.Second, time.Since(start))
		synctest.Wait()
	})
}

func TestPost_CommentLines_CallerDeadlineApplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		var got []string
		err := post(ctx, slowTransport{
			{50 * time.Second, ": alive\n\n"},
			{50 * time.Second, ": alive\n\n"},
			{50 * time.Second, ": alive\n\n"},
			{50 * time.Second, ": alive\n\n"},
			{50 * time.Second, ": alive\n\n"},
			{55 * time.Second, "data: x\n\n"},
		}, read(&got))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, KindTimeout, KindOf(err))
		require.Empty(t, got)
		synctest.Wait()
	})
}

func TestNext_Bodies_ReturnEvents(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"fields":                  {"event: a\ndata: 1\nid: 7\nretry: 5\n\ndata:2\n\n", []string{"a|1", "|2"}},
		"several data lines":      {"data: 1\ndata:\ndata: 3\n\n", []string{"|1\n\n3"}},
		"comments and blanks":     {"\n\n: hi\n\n:\n\ndata: 1\n\n\n\n", []string{"|1"}},
		"a name without data":     {"event: a\n\ndata: 1\n\n", []string{"|1"}},
		"windows line ends":       {"event: a\r\ndata: 1\r\n\r\n", []string{"a|1"}},
		"complete at the end":     {"data: {\"x\":1}", []string{`|{"x":1}`}},
		"incomplete at the end":   {"data: {\"x\":", nil},
		"line that is no field":   {"hello\ndata: 1\n\n", []string{"|1"}},
		"whole object":            {"\n {\"x\":1}\n", []string{"|{\"x\":1}\n"}},
		"whole list":              {"[1]", []string{"|[1]"}},
		"nothing":                 {"", nil},
		"colons in the data":      {"data: a: b\n\n", []string{"|a: b"}},
		"one leading blank taken": {"data:  a\n\n", []string{"| a"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			require.NoError(t, post(t.Context(), slowTransport{{0, c.body}}, read(&got)))
			require.Equal(t, c.want, got)
		})
	}
}

func TestNext_LargeEvent_IsRejected(t *testing.T) {
	var got []string
	err := post(t.Context(), slowTransport{{0, strings.Repeat("data: "+strings.Repeat("x", 1<<18)+"\n", 5)}}, read(&got))
	require.Equal(t, KindUnavailable, KindOf(err), "%v", err)
}

// failingTransport is a transport that fails with an error that quotes a key.
type failingTransport struct{ times *int }

func (f failingTransport) RoundTrip(*http.Request) (*http.Response, error) {
	*f.times++
	return nil, errors.New("sk-planted-key-4711 in an error of a library")
}

func TestPost_ConnectionFails_RetriesWithGrowingDelaysUntilContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		times := 0
		c := newTestClient(HTTPOptions{
			Client: &http.Client{Transport: failingTransport{&times}},
			Log:    slog.New(slog.DiscardHandler),
			Retry:  Retry{Attempts: 5},
		})
		start := time.Now()
		err := c.post(t.Context(), "http://provider.test/x", http.Header{}, nil, nil)
		require.Equal(t, KindUnavailable, KindOf(err))
		require.NotContains(t, err.Error(), "planted")
		require.Equal(t, 5, times)
		const longest = (500 + 1000 + 2000 + 4000) * time.Millisecond
		require.GreaterOrEqual(t, time.Since(start), longest/2)
		require.LessOrEqual(t, time.Since(start), longest+time.Millisecond)

		times = 0
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		err = c.post(ctx, "http://provider.test/x", http.Header{}, nil, nil)
		require.Equal(t, KindCancelled, KindOf(err))
		require.Equal(t, 1, times, "the first delay is at least 250 ms")

		times = 0
		ctx, cancel = context.WithTimeout(t.Context(), 550*time.Millisecond)
		defer cancel()
		start = time.Now()
		err = c.post(ctx, "http://provider.test/x", http.Header{}, nil, nil)
		require.Equal(t, KindUnavailable, KindOf(err), "no delay beyond the deadline starts")
		require.Equal(t, 2, times)
		require.LessOrEqual(t, time.Since(start), 501*time.Millisecond)
	})
}
