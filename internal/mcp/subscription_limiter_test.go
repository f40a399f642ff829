package mcp

import (
	"fmt"
	"testing"

	"errand/internal/apperr"

	"github.com/stretchr/testify/require"
)

func TestSubscriptionLimiter_TotalOfAllUsers_IsBounded(t *testing.T) {
	const perUser = 4
	l := newSubscriptionLimiter(perUser)
	open := func(user string) (func(), error) { return l.open(user, func() {}) }
	var ends []func()
	for i := range maxSubscriptions {
		end, err := open(fmt.Sprint("user ", i/perUser))
		require.NoError(t, err)
		ends = append(ends, end)
	}
	_, err := open("another")
	require.Equal(t, apperr.RateLimited, apperr.CodeOf(err))
	require.ErrorContains(t, err, "on this server")
	ends[0]()
	end, err := open("another")
	require.NoError(t, err)
	_, err = open("user 0")
	require.Error(t, err, "the place is taken")
	for _, end := range append(ends[1:], end) {
		end()
	}
	require.Zero(t, l.total)
	require.Empty(t, l.byUser)
}
