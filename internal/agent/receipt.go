package agent

import (
	"context"
	"fmt"

	"errand/ent/enum"
	"errand/ent/task"
	"errand/internal/apperr"
	"errand/internal/phrase"
	"errand/internal/tool"
)

// receiptLine returns one line about the changes that the reply has made, in the language of the user's message, "" if
// there are none. Its source is the change log, so that it holds what earlier attempts did too.
func (t *turn) receiptLine(ctx context.Context) (string, error) {
	batches, err := t.Tasks.ChangesByBatch(ctx, []string{t.job.MessageID}, nil)
	if apperr.CodeOf(err).IsOfCaller() {
		return "", nil // the token may not read tasks
	}
	if err != nil {
		return "", err
	}
	changes := batches[t.job.MessageID]
	kinds := map[string]enum.ChangeKind{} // the last change of each task, or its creation
	var ids []string
	for _, c := range changes {
		kind, seen := kinds[c.TaskID]
		if !seen {
			ids = append(ids, c.TaskID)
		}
		if kind != enum.ChangeCreated || c.Kind == enum.ChangeDeleted {
			kinds[c.TaskID] = c.Kind
		}
	}
	if len(ids) == 0 {
		return "", nil
	}
	tasks, err := t.Client.Task.Query().Where(task.IDIn(ids...)).Order(task.ByNumber()).All(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the changed tasks: %w", err)
	}
	done := make([]enum.ProposedChange, len(tasks))
	for i, one := range tasks {
		done[i] = enum.ProposedChange{TaskID: one.ID, Number: one.Number, Title: one.Title, Kind: kinds[one.ID]}
	}
	return tool.Receipt(phrase.Detect(t.userMessage), done), nil
}
