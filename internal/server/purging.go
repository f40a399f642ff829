package server

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"errand/internal/account"
	"errand/internal/idempotency"
)

// maxFirstPurge is the time from the start to the first removal of expired rows, if the interval is not shorter.
const maxFirstPurge = time.Minute

// startPurging removes expired tasks of the trash, tombstones of conversations, idempotency keys, API tokens, sign-in
// sessions and links, and ends expired approvals, in the background, as each user and in small transactions. It can be
// interrupted at any time.
func (s *Server) startPurging() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		interval := s.Config.Limits.PurgeInterval
		next := time.NewTimer(min(interval, maxFirstPurge))
		defer next.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-next.C:
			}
			if err := s.purgeAll(ctx); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "removing expired rows failed", slog.Any("error", err))
			}
			next.Reset(interval)
		}
	}()
	s.onStop("purging", 1, func(context.Context) error { cancel(); <-done; return nil })
}

func (s *Server) purgeAll(ctx context.Context) error {
	if err := s.Services.SignIn.PurgeShared(ctx); err != nil {
		return fmt.Errorf("purging links and keys: %w", err)
	}
	return account.EachUser(ctx, s.DB.Client(), math.MaxInt, func(ctx context.Context, userID string) error {
		if err := idempotency.Purge(ctx, s.DB.Client()); err != nil {
			return fmt.Errorf("purging the idempotency keys of %s: %w", userID, err)
		}
		if days := s.Config.Limits.TrashDays; days > 0 {
			if err := s.purgeTrash(ctx, time.Now().AddDate(0, 0, -days)); err != nil {
				return fmt.Errorf("purging the trash of %s: %w", userID, err)
			}
		}
		if err := s.Services.Tokens.Purge(ctx); err != nil {
			return fmt.Errorf("purging the API tokens of %s: %w", userID, err)
		}
		if err := s.Services.SignIn.Purge(ctx); err != nil {
			return fmt.Errorf("purging the sessions of %s: %w", userID, err)
		}
		for more := true; more; {
			var err error
			if more, err = s.Services.Chat.ExpireApprovals(ctx); err != nil {
				return fmt.Errorf("expiring the approvals of %s: %w", userID, err)
			}
		}
		for more := true; more; {
			var err error
			if more, err = s.Services.Chat.PurgeTombstones(ctx); err != nil {
				return fmt.Errorf("purging the tombstones of %s: %w", userID, err)
			}
		}
		return nil
	})
}

// purgeTrash deletes the viewer's tasks that were moved to the trash before a time.
func (s *Server) purgeTrash(ctx context.Context, before time.Time) error {
	for {
		if more, err := s.Services.Tasks.PurgeTrash(ctx, before); err != nil || !more {
			return err
		}
	}
}
