package revoked_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"errand/internal/auth/revoked"

	"github.com/stretchr/testify/require"
)

func newSet(publish func(string)) *revoked.Set {
	return revoked.New(publish, slog.New(slog.DiscardHandler))
}

func TestRevoke_Waiting_CallsAndPublishesOnce(t *testing.T) {
	var published []string
	s := newSet(func(id string) { published = append(published, id) })
	called := make(chan struct{}, 2)
	s.AfterRevoked("session_1", func() { called <- struct{}{} })
	stop := s.AfterRevoked("session_1", func() { t.Error("called after stop") })
	stop()
	stop()
	s.AfterRevoked("session_2", func() { t.Error("called for another credential") })
	s.Revoke("session_1")
	<-called
	require.True(t, s.Contains("session_1"))
	require.False(t, s.Contains("session_2"))
	require.Equal(t, []string{"session_1"}, published)
	s.AfterRevoked("session_1", func() { called <- struct{}{} }) // at once
	<-called
}

func TestAdd_EmptyID_IsIgnored(t *testing.T) {
	s := newSet(nil)
	s.AfterRevoked("", func() { t.Error("called for no credential") })
	s.Revoke("")
	require.False(t, s.Contains(""))
}

func TestPoll_Sources_AddsAndReportsErrors(t *testing.T) {
	s := newSet(func(string) { t.Error("a polled credential was published") })
	failure := errors.New("down")
	s.AddSource(func(_ context.Context, window time.Duration) ([]string, error) {
		require.Equal(t, revoked.Window, window)
		return []string{"token_1"}, nil
	})
	s.AddSource(func(context.Context, time.Duration) ([]string, error) { return nil, failure })
	require.ErrorIs(t, s.Poll(t.Context()), failure)
	require.True(t, s.Contains("token_1"))
}
