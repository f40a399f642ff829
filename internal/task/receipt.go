package task

import (
	"context"
	"fmt"
	"slices"

	"errand/ent"
	"errand/ent/taskchange"
	"errand/internal/apperr"
	"errand/internal/viewer"
)

// Bounds of ChangesByBatch. Few replies make more than a handful of changes, but one may make hundreds, each with two
// descriptions.
const (
	// MaxBatchChanges is how many changes of a batch are returned.
	MaxBatchChanges = 500
	// maxReceiptRows is how many changes one call reads.
	maxReceiptRows = 10_000
	// maxReceiptBytes is how many bytes of changed values one call reads. More would not fit in a response.
	maxReceiptBytes = 8 << 20
	// rowsPerRead and fullRowsPerRead are how many changes one query reads, the latter with their changed values.
	rowsPerRead     = 2_000
	fullRowsPerRead = 100
)

// ChangesByBatch returns the changes of each batch in order, keyed by batch ID: the receipt of a reply, whose batch is
// its message. Of each batch it returns the first MaxBatchChanges. columns are the columns to read, nil for all. It
// takes one query unless there are very many changes; above maxReceiptRows or maxReceiptBytes it returns
// COMPLEXITY_LIMIT_EXCEEDED.
func (o operations) ChangesByBatch(
	ctx context.Context,
	batchIDs []string,
	columns []string,
) (map[string][]*ent.TaskChange, error) {
	if _, err := viewer.Require(ctx, viewer.TasksRead); err != nil {
		return nil, err
	}
	r := receiptReader{
		open:    slices.Clone(batchIDs),
		size:    fullRowsPerRead,
		changes: make(map[string][]*ent.TaskChange, len(batchIDs)),
	}
	if columns != nil {
		r.columns = append([]string{
			taskchange.FieldID, taskchange.FieldBatchID, taskchange.FieldSeq, taskchange.FieldToolCallID, taskchange.FieldTaskID,
		}, columns...)
		if !slices.Contains(columns, taskchange.FieldFields) {
			r.size = rowsPerRead
		}
	}
	for len(r.open) > 0 {
		if err := r.read(ctx, o.client); err != nil {
			return nil, err
		}
	}
	return r.changes, nil
}

// receiptReader reads the changes of batches in several queries.
type receiptReader struct {
	columns []string // nil for all
	size    int      // rows per query
	// open are the batches that may have more changes than were read. last is the newest change that was read.
	open        []string
	last        *ent.TaskChange
	changes     map[string][]*ent.TaskChange
	rows, bytes int
}

// read reads the next changes of the open batches.
func (r *receiptReader) read(ctx context.Context, client *ent.Client) error {
	q := client.TaskChange.Query().
		Where(taskchange.BatchIDIn(r.open...)).
		Order(taskchange.ByBatchID(), taskchange.BySeq()).
		Limit(r.size)
	if r.last != nil { // all changes of a batch are adjacent in the order
		q.Where(taskchange.Or(taskchange.BatchIDNEQ(*r.last.BatchID), taskchange.SeqGT(r.last.Seq)))
	}
	if r.columns != nil {
		q.Select(r.columns...)
	}
	found, err := q.All(ctx)
	if err != nil {
		return fmt.Errorf("reading the changes of batches: %w", err)
	}
	for _, c := range found {
		id := *c.BatchID
		if r.last != nil && *r.last.BatchID != id {
			r.close(*r.last.BatchID)
		}
		r.last = c
		if len(r.changes[id]) < MaxBatchChanges {
			r.changes[id] = append(r.changes[id], c)
		}
		for _, f := range c.Fields {
			r.bytes += length(f.From) + length(f.To)
		}
	}
	r.rows += len(found)
	switch {
	case len(found) < r.size:
		r.open = nil
	case r.rows >= maxReceiptRows || r.bytes >= maxReceiptBytes:
		return apperr.New(apperr.ComplexityLimit,
			"The selected replies have too many changes for one response. Select fewer messages.")
	case len(r.changes[*r.last.BatchID]) == MaxBatchChanges:
		r.close(*r.last.BatchID)
	}
	return nil
}

// close marks a batch as read.
func (r *receiptReader) close(batchID string) {
	r.open = slices.DeleteFunc(r.open, func(id string) bool { return id == batchID })
}

func length(s *string) int {
	if s == nil {
		return 0
	}
	return len(*s)
}
