package connlimit_test

import (
	"context"
	"testing"

	"errand/internal/graphqlhttp/connlimit"

	"github.com/stretchr/testify/require"
)

func TestLimiter_LimitsReached_RejectsUntilReleased(t *testing.T) {
	l := connlimit.New(2, 1)
	require.True(t, l.Acquire())
	require.True(t, l.Assign("alice"))
	require.True(t, l.Acquire())
	require.False(t, l.Assign("alice"), "the limit of the user")
	require.True(t, l.Assign(""), "anonymous connections have no limit by user")
	require.False(t, l.Acquire(), "the limit in total")
	l.Release("alice")
	require.True(t, l.Acquire())
	require.True(t, l.Assign("alice"))
}

func TestLimiter_Wait_ReturnsWhenAllReleased(t *testing.T) {
	l := connlimit.New(0, 1)
	require.NoError(t, l.Wait(t.Context()))
	require.True(t, l.Acquire())
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, l.Wait(ended), context.Canceled)
	done := make(chan error, 1)
	go func() { done <- l.Wait(context.WithoutCancel(ended)) }()
	l.Release("")
	require.NoError(t, <-done)
}
