package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"errand/ent"
	"errand/internal/terms"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// TermIndex is a search index: a table of the terms of each of a user's rows, which have a number of their own. Below
// row-level security PostgreSQL uses an index only for operators that cannot leak: no LIKE, no full-text search. So
// terms are compared as bytes, for equality and in ranges.
type TermIndex struct {
	// table has the columns user_id, term and key, an index in this order, and one of user_id, key and term.
	table, key string
	// rows is the table of the rows, and rowKey its column with the number.
	rows, rowKey string
	// stale is a query with a row if the user $1 has rows that the index lacks, and "" if searches do not need to know.
	stale string
}

// The search indexes.
var (
	// TaskTerms has the terms of tasks, by number.
	//
	// The order of stale makes PostgreSQL use the partial index: its statistics suggest that almost all tasks match.
	TaskTerms = TermIndex{
		table:  "task_terms",
		key:    "task_number",
		rows:   "tasks",
		rowKey: "number",
		stale:  "SELECT 1 FROM tasks WHERE user_id = $1 AND indexed_version <> version ORDER BY user_id, id LIMIT 1",
	}
	// MessageTerms has the terms of finished messages, by id. Ids are in the order of creation.
	MessageTerms = TermIndex{
		table:  "message_terms",
		key:    "message_id",
		rows:   "messages",
		rowKey: "id",
	}
)

// Add adds the terms of a row that has none in the user's search index yet, in one statement. A row that may have some
// needs AddMissing, which costs PostgreSQL half as much again: it looks up each term before it inserts it, and inserts
// it speculatively.
func (x TermIndex) Add(ctx context.Context, tx *ent.Client, userID string, key any, entries []string) error {
	return x.exec(ctx, tx, insertTerms(tx), userID, key, entries)
}

// AddMissing adds those of the terms that the row with the key does not have yet in the user's search index, in one
// statement.
func (x TermIndex) AddMissing(ctx context.Context, tx *ent.Client, userID string, key any, entries []string) error {
	return x.exec(ctx, tx, insertTerms(tx)+` ON CONFLICT (user_id, term, {key}) DO NOTHING`, userID, key, entries)
}

func insertTerms(tx *ent.Client) string {
	if tx.Dialect() == dialect.SQLite {
		return `INSERT INTO {table} (user_id, term, {key})
			SELECT $1, CAST(t.value AS BLOB), $2 FROM json_each($3) t WHERE true`
	}
	return `INSERT INTO {table} (user_id, term, {key})
		SELECT $1, convert_to(t.value, 'UTF8'), $2 FROM json_array_elements_text($3::json) t(value)`
}

// Remove removes terms of the row with the key from the user's search index, in one statement.
func (x TermIndex) Remove(ctx context.Context, tx *ent.Client, userID string, key any, entries []string) error {
	q := `DELETE FROM {table} WHERE user_id = $1 AND {key} = $2
		AND term IN (SELECT convert_to(t.value, 'UTF8') FROM json_array_elements_text($3::json) t(value))`
	if tx.Dialect() == dialect.SQLite {
		q = `DELETE FROM {table} WHERE user_id = $1 AND {key} = $2
			AND term IN (SELECT CAST(t.value AS BLOB) FROM json_each($3) t)`
	}
	return x.exec(ctx, tx, q, userID, key, entries)
}

// RemoveAll removes the row with the key from the user's search index.
func (x TermIndex) RemoveAll(ctx context.Context, tx *ent.Client, userID string, key any) error {
	if _, err := tx.ExecContext(
		ctx,
		x.sql(`DELETE FROM {table} WHERE user_id = $1 AND {key} = $2`),
		userID,
		key,
	); err != nil {
		return fmt.Errorf("writing the search index: %w", err)
	}
	return nil
}

// RemoveRows removes the rows with the keys, which are texts, from the user's search index, in one statement.
func (x TermIndex) RemoveRows(ctx context.Context, tx *ent.Client, userID string, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	list, err := json.Marshal(keys)
	if err != nil {
		return fmt.Errorf("encoding keys: %w", err)
	}
	q := `DELETE FROM {table} WHERE user_id = $1
		AND {key} = ANY (ARRAY(SELECT k.value FROM json_array_elements_text($2::json) k(value)))`
	if tx.Dialect() == dialect.SQLite {
		q = `DELETE FROM {table} WHERE user_id = $1 AND {key} IN (SELECT k.value FROM json_each($2) k)`
	}
	if _, err := tx.ExecContext(ctx, x.sql(q), userID, string(list)); err != nil {
		return fmt.Errorf("writing the search index: %w", err)
	}
	return nil
}

func (x TermIndex) exec(ctx context.Context, tx *ent.Client, q, userID string, key any, entries []string) error {
	if len(entries) == 0 {
		return nil
	}
	// In the index's order, which halves the cost, and each once.
	list, err := json.Marshal(slices.Compact(slices.Sorted(slices.Values(entries))))
	if err != nil {
		return fmt.Errorf("encoding terms: %w", err)
	}
	if _, err := tx.ExecContext(ctx, x.sql(q), userID, key, string(list)); err != nil {
		return fmt.Errorf("writing the search index: %w", err)
	}
	return nil
}

func (x TermIndex) sql(q string) string {
	return strings.NewReplacer("{table}", x.table, "{key}", x.key).Replace(q)
}

// TermMatch is a condition on the terms of a row: it has one of the terms.
type TermMatch struct {
	Terms []string
	// Prefix means that a term that begins with the first of Terms, which is the only one, suffices.
	Prefix bool
}

// MatchOf returns the condition that a row has a term of a search.
func MatchOf(q terms.Query) TermMatch { return TermMatch{Terms: []string{q.Text}, Prefix: q.Prefix} }

// termRange returns the bounds of the terms that begin with a term: UTF-8 contains no byte 0xFF.
func termRange(term string) (from, below []byte) { return []byte(term), append([]byte(term), 0xFF) }

// entries selects the keys of the entries that satisfy m.
func (x TermIndex) entries(engine, userID string, m TermMatch) *sql.Selector {
	t := sql.Table(x.table)
	s := sql.Dialect(engine).Select().From(t)
	s.Select(s.C(x.key)).Where(sql.EQ(s.C("user_id"), userID))
	switch {
	case m.Prefix:
		from, below := termRange(m.Terms[0])
		s.Where(sql.And(sql.GTE(s.C("term"), from), sql.LT(s.C("term"), below)))
	case len(m.Terms) == 1:
		s.Where(sql.EQ(s.C("term"), []byte(m.Terms[0])))
	default:
		list := make([]any, len(m.Terms))
		for i, term := range m.Terms {
			list[i] = []byte(term)
		}
		s.Where(sql.In(s.C("term"), list...))
	}
	return s
}
