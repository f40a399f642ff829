package server

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"errand/internal/account"
)

// indexInterval is how often rows are searched for that the search index lacks. Only older releases write such rows:
// before an upgrade, and while replicas of two releases run.
const indexInterval = time.Hour

// startIndexing completes the search index in the background, as each user and in small transactions. It can be
// interrupted at any time. Searches find tasks that are not indexed yet by reading their texts, but not such messages.
func (s *Server) startIndexing() {
	ctx, cancel := context.WithCancel(context.Background())
	done, indexed := make(chan struct{}), make(chan struct{})
	s.Indexed = indexed
	go func() {
		defer close(done)
		ticker := time.NewTicker(indexInterval)
		defer ticker.Stop()
		for first := true; ; first = false {
			if err := s.indexAll(ctx); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "completing the search index failed", slog.Any("error", err))
			}
			if first {
				close(indexed)
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
	s.onStop("search index", 1, func(context.Context) error { cancel(); <-done; return nil })
}

func (s *Server) indexAll(ctx context.Context) error {
	return account.EachUser(ctx, s.DB.Client(), math.MaxInt, func(ctx context.Context, userID string) error {
		if err := repeatAtHalfSpeed(ctx, s.Services.Tasks.IndexTasks); err != nil {
			return fmt.Errorf("indexing tasks of %s: %w", userID, err)
		}
		if err := repeatAtHalfSpeed(ctx, s.Services.Chat.IndexMessages); err != nil {
			return fmt.Errorf("indexing messages of %s: %w", userID, err)
		}
		return nil
	})
}

// repeatAtHalfSpeed executes a batch until no more remain. It pauses after each for as long as the batch took, so that
// a database that is busy with requests, and answers slowly, gets fewer batches.
func repeatAtHalfSpeed(ctx context.Context, batch func(context.Context) (more bool, err error)) error {
	for {
		start := time.Now()
		more, err := batch(ctx)
		if err != nil || !more {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Since(start)):
		}
	}
}
