package account

import (
	"bytes"
	"context"
	stdsql "database/sql"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"errand/ent"
	"errand/ent/conversation"
	"errand/ent/message"
	"errand/ent/run"
	"errand/ent/task"
	"errand/ent/taskchange"
	"errand/ent/toolcall"
	"errand/ent/usageday"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/viewer"
)

const (
	// exportChunk is how many rows are in memory at once.
	exportChunk = 500
	// exportPause is how long a person waits between two exports on one replica: one costs as
	// much as many thousand queries.
	exportPause = 10 * time.Second
)

// ExportData gives everything that the viewer owns, as one JSON object: the user, and a list
// a kind of row with the stored fields, oldest first. It is one moment's state.
func (s *Service) ExportData(ctx context.Context) (string, error) {
	u, err := s.CurrentUser(ctx)
	if err != nil {
		return "", err
	}
	if wait := s.exports.wait(u.ID, time.Now()); wait > 0 {
		return "", apperr.TooMany(wait, "One export every %s.", exportPause)
	}
	// A read-only transaction is a snapshot that leaves writers alone.
	tx, err := s.client.BeginTx(ctx, &stdsql.TxOptions{ReadOnly: true, Isolation: stdsql.LevelRepeatableRead})
	if err != nil {
		return "", fmt.Errorf("beginning an export: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it has only read
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"exportedAt":%q`, ids.Now().Format(time.RFC3339Nano))
	if err := writeExport(ctx, &b, tx); err != nil {
		return "", fmt.Errorf("exporting: %w", err)
	}
	b.WriteByte('}')
	return b.String(), nil
}

func writeExport(ctx context.Context, b *bytes.Buffer, tx *ent.Tx) error {
	v, _ := viewer.FromContext(ctx)
	u, err := tx.User.Get(ctx, v.UserID)
	if err != nil {
		return err
	}
	b.WriteString(`,"user":`)
	if err := writeRow(b, u); err != nil {
		return err
	}
	for _, list := range exported {
		if err := list.write(ctx, b, tx); err != nil {
			return err
		}
	}
	return nil
}

// list reads one kind of the viewer's rows, in the order of their ids.
type list struct {
	name string
	// next are the rows after an id, at most exportChunk, and the last one's id.
	next func(ctx context.Context, tx *ent.Tx, after string) (rows []any, last string, err error)
}

var exported = []list{
	{"tasks", func(ctx context.Context, tx *ent.Tx, after string) ([]any, string, error) {
		return chunk(
			tx.Task.Query().Where(task.IDGT(after)).Order(task.ByID()).Limit(exportChunk).All(ctx),
		)(
			func(r *ent.Task) string { return r.ID },
		)
	}},
	{"taskChanges", func(ctx context.Context, tx *ent.Tx, after string) ([]any, string, error) {
		return chunk(
			tx.TaskChange.Query().Where(taskchange.IDGT(after)).Order(taskchange.ByID()).Limit(exportChunk).All(ctx),
		)(
			func(r *ent.TaskChange) string { return r.ID },
		)
	}},
	{"conversations", func(ctx context.Context, tx *ent.Tx, after string) ([]any, string, error) {
		return chunk(
			tx.Conversation.Query().Where(conversation.IDGT(after)).Order(conversation.ByID()).Limit(exportChunk).All(ctx),
		)(
			func(r *ent.Conversation) string { return r.ID },
		)
	}},
	{"messages", func(ctx context.Context, tx *ent.Tx, after string) ([]any, string, error) {
		return chunk(
			tx.Message.Query().Where(message.IDGT(after)).Order(message.ByID()).Limit(exportChunk).All(ctx),
		)(
			func(r *ent.Message) string { return r.ID },
		)
	}},
	{"toolCalls", func(ctx context.Context, tx *ent.Tx, after string) ([]any, string, error) {
		return chunk(
			tx.ToolCall.Query().Where(toolcall.IDGT(after)).Order(toolcall.ByID()).Limit(exportChunk).All(ctx),
		)(
			func(r *ent.ToolCall) string { return r.ID },
		)
	}},
	{"runs", func(ctx context.Context, tx *ent.Tx, after string) ([]any, string, error) {
		return chunk(
			tx.Run.Query().Where(run.IDGT(after)).Order(run.ByID()).Limit(exportChunk).All(ctx),
		)(
			func(r *ent.Run) string { return r.ID },
		)
	}},
	{"usageDays", func(ctx context.Context, tx *ent.Tx, after string) ([]any, string, error) {
		return chunk(
			tx.UsageDay.Query().Where(usageday.IDGT(after)).Order(usageday.ByID()).Limit(exportChunk).All(ctx),
		)(
			func(r *ent.UsageDay) string { return r.ID },
		)
	}},
}

func chunk[T any](found []*T, err error) func(id func(*T) string) ([]any, string, error) {
	return func(id func(*T) string) ([]any, string, error) {
		if err != nil || len(found) == 0 {
			return nil, "", err
		}
		rows := make([]any, len(found))
		for i, row := range found {
			rows[i] = row
		}
		return rows, id(found[len(found)-1]), nil
	}
}

func (l list) write(ctx context.Context, b *bytes.Buffer, tx *ent.Tx) error {
	fmt.Fprintf(b, ",%q:[", l.name)
	first := true
	for after := ""; ; {
		rows, last, err := l.next(ctx, tx, after)
		if err != nil {
			return fmt.Errorf("reading %s: %w", l.name, err)
		}
		for _, row := range rows {
			if !first {
				b.WriteByte(',')
			}
			first = false
			if err := writeRow(b, row); err != nil {
				return err
			}
		}
		if len(rows) < exportChunk {
			b.WriteByte(']')
			return nil
		}
		after = last
	}
}

// writeRow writes all stored fields of an entity, under the names of the API's style.
// Who owns the row is said once, at the top.
func writeRow(b *bytes.Buffer, entity any) error {
	row := reflect.ValueOf(entity).Elem()
	fields := map[string]any{}
	for i := range row.NumField() {
		column, _, _ := strings.Cut(row.Type().Field(i).Tag.Get("json"), ",")
		if column == "" || column == "-" || column == "edges" || column == "user_id" {
			continue
		}
		fields[camel(column)] = row.Field(i).Interface()
	}
	text, err := json.Marshal(fields)
	b.Write(text)
	return err
}

func camel(column string) string {
	words := strings.Split(column, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

// pauses remembers who did something lately.
type pauses struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// wait is how long the person has to wait, or 0 and the pause begins anew.
func (p *pauses) wait(userID string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, at := range p.last {
		if now.Sub(at) >= exportPause {
			delete(p.last, id)
		}
	}
	if at, ok := p.last[userID]; ok {
		return exportPause - now.Sub(at)
	}
	if p.last == nil {
		p.last = map[string]time.Time{}
	}
	p.last[userID] = now
	return 0
}
