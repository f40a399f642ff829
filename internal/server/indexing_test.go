package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRepeatAtHalfSpeed_Batches_PauseAsLongAsEachTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, batches := time.Now(), 0
		require.NoError(t, repeatAtHalfSpeed(t.Context(), func(context.Context) (bool, error) {
			batches++
			time.Sleep(time.Duration(batches) * time.Second)
			return batches < 4, nil
		}))
		require.Equal(t, 4, batches)
		require.Equal(t, 16*time.Second, time.Since(start), "1+1 + 2+2 + 3+3 + 4")
	})
}

func TestRepeatAtHalfSpeed_ErrorOrEnd_Stops(t *testing.T) {
	failure := errors.New("no database")
	require.ErrorIs(t, repeatAtHalfSpeed(t.Context(), func(context.Context) (bool, error) {
		return true, failure
	}), failure)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		batches := 0
		require.ErrorIs(t, repeatAtHalfSpeed(ctx, func(context.Context) (bool, error) {
			batches++
			time.Sleep(time.Hour)
			time.AfterFunc(time.Minute, cancel)
			return true, nil
		}), context.Canceled)
		require.Equal(t, 1, batches)
	})
}
