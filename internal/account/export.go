package account

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"time"

	"errand/ent"
	"errand/ent/apitoken"
	"errand/ent/conversation"
	"errand/ent/conversationtombstone"
	"errand/ent/idempotencykey"
	"errand/ent/login"
	"errand/ent/message"
	"errand/ent/passkey"
	"errand/ent/run"
	"errand/ent/signinsession"
	"errand/ent/task"
	"errand/ent/taskchange"
	"errand/ent/toolcall"
	"errand/ent/usageday"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/store"
	"errand/internal/viewer"
)

const (
	// exportChunk is how many rows are read at once. A row can have 100 KB.
	exportChunk = 50
	// exportTimeout is how long an export may take, including its transfer to the client.
	exportTimeout = 5 * time.Minute
	// exportRetry is the time after which a client may try again while another export is running.
	exportRetry = 5 * time.Second
	// exportInterval is the minimum time between two exports of one user on one replica: an export costs
	// as much as many thousand queries.
	exportInterval = 10 * time.Second
)

// Export writes everything that the viewer owns as one JSON object: the user, and for each type of row an array of the
// stored fields, oldest first. It is a consistent snapshot. It holds the server's only place for exports until Close.
type Export struct {
	client  *ent.Client
	userID  string
	release func()
}

// StartExport returns an export of the viewer's data. It needs every scope that reads. The error is RATE_LIMITED while
// another export is running on this server, and when the user's last one has just started.
func (s *Service) StartExport(ctx context.Context) (*Export, error) {
	if _, err := viewer.Require(ctx, viewer.Account, viewer.TasksRead, viewer.Chat); err != nil {
		return nil, err
	}
	u, err := s.currentUser(ctx)
	if err != nil {
		return nil, err
	}
	release, err := s.exports.reserve(u.ID, time.Now())
	if err != nil {
		return nil, err
	}
	return &Export{client: s.client, userID: u.ID, release: release}, nil
}

// Close ends the export. It may be called more than once.
func (e *Export) Close() { e.release() }

// Write writes the export while it reads the rows. The transfer to w counts towards exportTimeout.
func (e *Export) Write(ctx context.Context, w io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	b := bufio.NewWriterSize(w, 32<<10)
	fmt.Fprintf(b, `{"exportedAt":%q`, ids.Now().Format(time.RFC3339Nano))
	err := store.WithSnapshot(ctx, e.client, func(tx *ent.Tx) error { return e.writeRows(ctx, b, tx) })
	if err == nil {
		_ = b.WriteByte('}') // Flush returns the error
		err = b.Flush()
	}
	if err != nil {
		return fmt.Errorf("exporting: %w", err)
	}
	return nil
}

func (e *Export) writeRows(ctx context.Context, b *bufio.Writer, tx *ent.Tx) error {
	u, err := tx.User.Get(ctx, e.userID)
	if err != nil {
		return err
	}
	if _, err := b.WriteString(`,"user":`); err != nil {
		return err
	}
	if err := writeRow(b, u); err != nil {
		return err
	}
	for _, t := range exportedTypes {
		if err := t.write(ctx, b, tx); err != nil {
			return err
		}
	}
	return nil
}

// exportedType is a type of row in the export.
type exportedType struct {
	// name is the member's name.
	name string
	// read returns the viewer's rows after an ID, as pointers to entities in the order of IDs, at most exportChunk.
	read func(ctx context.Context, tx *ent.Tx, after string) ([]any, error)
}

func newExportedType[T any](
	name string,
	query func(ctx context.Context, tx *ent.Tx, after string) ([]T, error),
) exportedType {
	return exportedType{name, func(ctx context.Context, tx *ent.Tx, after string) ([]any, error) {
		found, err := query(ctx, tx, after)
		rows := make([]any, len(found))
		for i, row := range found {
			rows[i] = row
		}
		return rows, err
	}}
}

var exportedTypes = []exportedType{
	newExportedType("tasks", func(ctx context.Context, tx *ent.Tx, after string) ([]*ent.Task, error) {
		return tx.Task.Query().Where(task.IDGT(after)).Order(task.ByID()).Limit(exportChunk).All(ctx)
	}),
	newExportedType("taskChanges", func(ctx context.Context, tx *ent.Tx, after string) ([]*ent.TaskChange, error) {
		return tx.TaskChange.Query().Where(taskchange.IDGT(after)).Order(taskchange.ByID()).Limit(exportChunk).All(ctx)
	}),
	newExportedType("conversations", func(ctx context.Context, tx *ent.Tx, after string) ([]*ent.Conversation, error) {
		return tx.Conversation.Query().Where(conversation.IDGT(after)).Order(conversation.ByID()).Limit(exportChunk).All(ctx)
	}),
	newExportedType("conversationTombstones",
		func(ctx context.Context, tx *ent.Tx, after string) ([]*ent.ConversationTombstone, error) {
			return tx.ConversationTombstone.Query().
				Where(conversationtombstone.IDGT(after)).
				Order(conversationtombstone.ByID()).
				Limit(exportChunk).
				All(ctx)
		}),
	newExportedType("messages", func(ctx context.Context, tx *ent.Tx, after string) ([]*ent.Message, error) {
		return tx.Message.Query().Where(message.IDGT(after)).Order(message.ByID()).Limit(exportChunk).All(ctx)
	}),
	newExportedType("toolCalls", func(ctx context.Context, tx *ent.Tx, after string) ([]*ent.ToolCall, error) {
		return tx.ToolCall.Query().Where(toolcall.IDGT(after)).Order(toolcall.ByID()).Limit(exportChunk).All(ctx)
	}),
	newExportedType("runs", func(ctx context.Context, tx *ent.Tx, after string) ([]*ent.Run, error) {
		return tx.Run.Query().Where(run.IDGT(after)).Order(run.ByID()).Limit(exportChunk).All(ctx)
	}),
	newExportedType("idempotencyKeys", func(ctx context.Context, tx *ent.Tx, after string) ([]*ent.IdempotencyKey, error) {
		return tx.IdempotencyKey.Query().
			Where(idempotencykey.IDGT(after)).
			Order(idempotencykey.ByID()).
			Limit(exportChunk).
			All(ctx)
	}),
	newExportedType("apiTokens", func(ctx context.Context, tx *ent.Tx, after string) ([]*ent.APIToken, error) {
		return tx.APIToken.Query().Where(apitoken.IDGT(after)).Order(apitoken.ByID()).Limit(exportChunk).All(ctx)
	}),
	newExportedType("logins", func(ctx context.Context, tx *ent.Tx, after string) ([]*ent.Login, error) {
		return tx.Login.Query().Where(login.IDGT(after)).Order(login.ByID()).Limit(exportChunk).All(ctx)
	}),
	newExportedType("passkeys", func(ctx context.Context, tx *ent.Tx, after string) ([]*ent.Passkey, error) {
		return tx.Passkey.Query().Where(passkey.IDGT(after)).Order(passkey.ByID()).Limit(exportChunk).All(ctx)
	}),
	newExportedType("signInSessions", func(ctx context.Context, tx *ent.Tx, after string) ([]*ent.SignInSession, error) {
		return tx.SignInSession.Query().
			Where(signinsession.IDGT(after)).
			Order(signinsession.ByID()).
			Limit(exportChunk).
			All(ctx)
	}),
	newExportedType("usageDays", func(ctx context.Context, tx *ent.Tx, after string) ([]*ent.UsageDay, error) {
		return tx.UsageDay.Query().Where(usageday.IDGT(after)).Order(usageday.ByID()).Limit(exportChunk).All(ctx)
	}),
}

func (t exportedType) write(ctx context.Context, b *bufio.Writer, tx *ent.Tx) error {
	fmt.Fprintf(b, ",%q:[", t.name)
	first := true
	for after := ""; ; {
		rows, err := t.read(ctx, tx, after)
		if err != nil {
			return fmt.Errorf("reading %s: %w", t.name, err)
		}
		for _, row := range rows {
			if !first {
				_ = b.WriteByte(',') // an error recurs with the row
			}
			first = false
			if err := writeRow(b, row); err != nil {
				return err
			}
		}
		if len(rows) < exportChunk {
			return b.WriteByte(']')
		}
		after = reflect.ValueOf(rows[len(rows)-1]).Elem().FieldByName("ID").String()
	}
}

// writeRow writes all stored fields of an entity as a JSON object, with names in the API's style. It omits the
// owner, which is the export's "user", and the state of the search index.
func writeRow(b *bufio.Writer, entity any) error {
	row := reflect.ValueOf(entity).Elem()
	fields := map[string]any{}
	for i := range row.NumField() {
		column, _, _ := strings.Cut(row.Type().Field(i).Tag.Get("json"), ",")
		if column == "" || column == "-" || column == "edges" || column == "user_id" ||
			column == "indexed_version" || column == "term_count" {
			continue
		}
		fields[camelCase(column)] = row.Field(i).Interface()
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("encoding a row: %w", err)
	}
	_, err = b.Write(text)
	return err
}

func camelCase(column string) string {
	words := strings.Split(column, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

// exportLimiter allows one export at a time, and enforces exportInterval for each user.
type exportLimiter struct {
	mu      sync.Mutex
	running bool
	last    map[string]time.Time
}

// reserve records an export of the user, and returns the function that ends it, or RATE_LIMITED.
func (l *exportLimiter) reserve(userID string, now time.Time) (release func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, at := range l.last {
		if now.Sub(at) >= exportInterval {
			delete(l.last, id)
		}
	}
	if at, ok := l.last[userID]; ok {
		return nil, apperr.TooMany(exportInterval-now.Sub(at), "One export every %s.", exportInterval)
	}
	if l.running {
		return nil, apperr.TooMany(exportRetry, "Another export is running on this server.")
	}
	if l.last == nil {
		l.last = map[string]time.Time{}
	}
	l.last[userID], l.running = now, true
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.running = false
	}), nil
}
