package apitoken

import (
	"context"
	"log/slog"
	"time"

	"errand/ent"
	"errand/ent/apitoken"
	"errand/internal/viewer"
)

const (
	// useInterval is the least time between two uses of a token that are stored.
	useInterval = time.Minute
	// maxUses is how many uses may wait to be stored; more are dropped.
	maxUses = 1024
	// useTimeout limits the storing of one use.
	useTimeout = 5 * time.Second
)

// use is one use of a token.
type use struct {
	tokenID, userID string
	at              time.Time
}

// useRecorder holds the uses that Run stores, so that no request waits for a write.
type useRecorder struct{ waiting chan use }

func newUseRecorder() useRecorder { return useRecorder{waiting: make(chan use, maxUses)} }

// add never blocks.
func (r useRecorder) add(u use) {
	select {
	case r.waiting <- u:
	default:
	}
}

// Run stores the uses of tokens until ctx ends, and then those that still wait.
func (v *Verifier) Run(ctx context.Context) {
	for {
		select {
		case u := <-v.uses.waiting:
			v.storeUse(context.WithoutCancel(ctx), u)
		case <-ctx.Done():
			v.storeWaiting(context.WithoutCancel(ctx))
			return
		}
	}
}

func (v *Verifier) storeWaiting(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, useTimeout)
	defer cancel()
	for ctx.Err() == nil {
		select {
		case u := <-v.uses.waiting:
			v.storeUse(ctx, u)
		default:
			return
		}
	}
}

// storeUse stores a use as the token's user, unless another replica has stored one in the same minute.
func (v *Verifier) storeUse(ctx context.Context, u use) {
	ctx, cancel := context.WithTimeout(ctx, useTimeout)
	defer cancel()
	at := u.at.UTC().Truncate(time.Microsecond)
	err := v.client.APIToken.Update().
		Where(
			apitoken.ID(u.tokenID),
			apitoken.Or(apitoken.LastUsedAtIsNil(), apitoken.LastUsedAtLTE(at.Add(-useInterval))),
		).
		SetLastUsedAt(at).
		Exec(viewer.NewContext(ctx, viewer.Viewer{UserID: u.userID}))
	if err != nil && !ent.IsNotFound(err) {
		v.log.WarnContext(ctx, "storing the use of an API token failed", slog.String("token_id", u.tokenID),
			slog.Any("error", err))
	}
}
