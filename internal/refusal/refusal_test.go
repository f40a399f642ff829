package refusal

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"errand/internal/apperr"
	"errand/internal/auth/bearer"

	"github.com/stretchr/testify/require"
)

// newTestRecorder returns a recorder with its log, its counts by reason, and a clock that move advances.
func newTestRecorder() (r *Recorder, log *bytes.Buffer, counts map[Reason]int, move func(time.Duration)) {
	log, counts = &bytes.Buffer{}, map[Reason]int{}
	r = NewRecorder(
		slog.New(slog.NewJSONHandler(log, nil)),
		func(_ Surface, _ Transport, reason Reason) { counts[reason]++ },
	)
	now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	r.lines.now = func() time.Time { return now }
	return r, log, counts, func(d time.Duration) { now = now.Add(d) }
}

func TestRecorder_ManyRefusals_LinesLimitedByReasonAndSurface(t *testing.T) {
	r, log, counts, move := newTestRecorder()
	lines := func() int { return strings.Count(log.String(), "\n") }
	for range 1000 {
		r.Token(t.Context(), GraphQL, HTTP, "192.0.2.1:7", bearer.ErrMalformed)
	}
	require.Equal(t, burstLines, lines())
	r.Token(t.Context(), MCP, HTTP, "", bearer.ErrMalformed)
	r.Token(t.Context(), GraphQL, WebSocketInit, "", bearer.ErrTooLong)
	require.Equal(t, burstLines+2, lines(), "another surface and another reason are not affected")
	require.Equal(t, map[Reason]int{Malformed: 1001, TooLong: 1}, counts)

	move(lineInterval)
	log.Reset()
	for range 5 {
		r.Token(t.Context(), GraphQL, HTTP, "192.0.2.1:7", bearer.ErrMalformed)
	}
	require.Equal(t, 1, lines())
	require.Contains(t, log.String(), `"remote_ip":"192.0.2.1","not_logged_before":980`)
	move(time.Hour)
	log.Reset()
	for range 100 {
		r.Token(t.Context(), GraphQL, HTTP, "", bearer.ErrMalformed)
	}
	require.Equal(t, burstLines, lines())
}

func TestRecorder_Errors_ReasonsFromClosedList(t *testing.T) {
	r, log, counts, _ := newTestRecorder()
	r.Token(t.Context(), GraphQL, HTTP, "", apperr.Wrap(ErrOtherUser, apperr.Forbidden, "x"))
	r.Token(t.Context(), GraphQL, HTTP, "", apperr.Wrap(ErrExpired, apperr.Unauthenticated, "x"))
	r.Token(t.Context(), GraphQL, HTTP, "", apperr.New(apperr.Unauthenticated, "x"))
	r.Token(t.Context(), GraphQL, HTTP, "", errors.New("database down"))
	r.NoToken(t.Context(), GraphQL, HTTP, "")
	require.Equal(t, map[Reason]int{OtherUser: 1, Expired: 1, Other: 1, Failed: 1, NoToken: 1}, counts)
	require.Contains(t, log.String(), "database down")
	for reason := range counts {
		require.Contains(t, Reasons(), reason)
	}

	left, leave := context.WithCancel(t.Context())
	leave()
	r.Token(left, GraphQL, HTTP, "", context.Canceled)
	var none *Recorder
	none.Token(t.Context(), GraphQL, HTTP, "", ErrExpired)
	none.NoToken(t.Context(), GraphQL, HTTP, "")
	none.Request(httptest.NewRequest(http.MethodGet, "/", nil), GraphQL, HTTP, Origin, "")
	require.Len(t, counts, 5, "a client that has left, and a nil recorder, record nothing")
}

func TestPrintable_HostileText_TruncatedAndVisible(t *testing.T) {
	require.Equal(t, "a?b?c??", Printable("a\nb\x1bc\u202e\xff"))
	require.Len(t, Printable(strings.Repeat("x", 1<<20)), maxPrintedBytes+len("…"))
}

func TestTransportOf_Accept_NamesStreams(t *testing.T) {
	for accept, want := range map[string]Transport{
		"": HTTP, "*/*": HTTP, "application/json": HTTP, "text/event-stream": SSE,
		"multipart/mixed;subscriptionSpec=1.0": Multipart, "multipart/mixed, application/json": HTTP,
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Accept", accept)
		require.Equal(t, want, TransportOf(r), accept)
	}
}
