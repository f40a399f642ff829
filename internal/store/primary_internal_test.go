package store

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Connections that reached the new primary before the session lock did serve statements already.
func TestPrimaryMoved_ConnectionToNewPrimary_StaysOpen(t *testing.T) {
	p := newPrimary()
	dial := p.dial(func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		t.Cleanup(func() { _ = server.Close() })
		return client, nil
	})
	isOpen := func(c net.Conn) bool { return c.SetDeadline(time.Time{}) == nil }
	former, err := dial(t.Context(), "tcp", "former")
	require.NoError(t, err)
	current, err := dial(t.Context(), "tcp", "current")
	require.NoError(t, err)
	lost := time.Now()
	later, err := dial(t.Context(), "tcp", "former")
	require.NoError(t, err)
	p.moved("current", lost)
	require.False(t, isOpen(former))
	require.True(t, isOpen(current))
	require.True(t, isOpen(later), "it found out by itself where it leads")
	require.NoError(t, current.Close())
	require.NoError(t, later.Close())
}
