package agent

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTurnClock_Stopped_DoesNotExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, clock, release := startTurnClock(t.Context(), 2*time.Minute)
		defer release()
		time.Sleep(time.Minute)
		clock.stop()
		time.Sleep(time.Hour) // the model loads
		require.NoError(t, ctx.Err())
		clock.run()
		time.Sleep(59 * time.Second)
		require.NoError(t, ctx.Err())
		time.Sleep(2 * time.Second)
		require.ErrorIs(t, context.Cause(ctx), errTimeLimit)
	})
}
