package task

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/task"
	"errand/ent/taskchange"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

const (
	// maxPurgedAtOnce is the number of tasks that PurgeTrash deletes in a transaction.
	maxPurgedAtOnce = 50
	// historyChunk is the number of changes that are read at once to count their size.
	historyChunk = 100
)

// PurgeTrash deletes some of the viewer's tasks that have been in the trash since a time before the given one, with
// their history. It reports whether more may remain. Positions in the change log are not used again: readers of the log
// continue after a gap.
func (s *Service) PurgeTrash(ctx context.Context, before time.Time) (more bool, err error) {
	v, err := viewer.Require(ctx, viewer.TasksWrite)
	if err != nil {
		return false, err
	}
	expired := func(client *ent.Client) *ent.TaskQuery {
		return client.Task.Query().
			Where(task.DeletedAtLT(before)).
			Order(task.ByDeletedAt(sql.OrderAsc())).
			Limit(maxPurgedAtOnce)
	}
	if exist, err := expired(s.client).Exist(ctx); err != nil || !exist {
		return false, err // without a lock: most users have none
	}
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		if err := quota.Lock(ctx, tx, v.UserID); err != nil {
			return err
		}
		found, err := expired(tx.Client()).All(ctx)
		if err != nil {
			return fmt.Errorf("reading the expired trash: %w", err)
		}
		more = len(found) == maxPurgedAtOnce
		d := quota.Delta{BytesCheck: quota.Unchecked, Trashed: -len(found)}
		for _, t := range found {
			bytes, err := purgeTask(ctx, tx, v.UserID, t)
			if err != nil {
				return fmt.Errorf("deleting task %s from the trash: %w", t.ID, err)
			}
			d.Bytes -= bytes
		}
		// Without limits: this is not a change by the user.
		_, err = quota.Limits{}.Apply(ctx, tx, v, d)
		return err
	})
	return more, err
}

// purgeTask deletes a task with its history and index entries, and returns their size.
func purgeTask(ctx context.Context, tx *ent.Tx, userID string, t *ent.Task) (bytes int64, err error) {
	bytes = quota.TaskBytes(t)
	for version := 0; ; {
		changes, err := tx.TaskChange.Query().
			Where(taskchange.TaskID(t.ID), taskchange.TaskVersionGT(version)).
			Order(taskchange.ByTaskVersion()).
			Limit(historyChunk).
			Select(taskchange.FieldID, taskchange.FieldTaskVersion, taskchange.FieldFields).
			All(ctx)
		if err != nil {
			return 0, err
		}
		for _, c := range changes {
			bytes += quota.ChangeBytes(c.Fields)
			version = c.TaskVersion
		}
		if len(changes) < historyChunk {
			break
		}
	}
	if err := store.TaskTerms.RemoveAll(ctx, tx.Client(), userID, int64(t.Number)); err != nil {
		return 0, err
	}
	return bytes, tx.Task.DeleteOne(t).Exec(ctx) // the history goes with it
}
