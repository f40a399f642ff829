package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"errand/ent"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// termsTable is the table of the search index.
const termsTable = "task_terms"

// AddTerms adds terms of the task with the number to the user's search index, in one statement.
func AddTerms(ctx context.Context, tx *ent.Client, userID string, number int, terms []string) error {
	q := `INSERT INTO task_terms (user_id, term, task_number)
		SELECT $1, convert_to(t.value, 'UTF8'), $2 FROM json_array_elements_text($3::json) t(value) ON CONFLICT DO NOTHING`
	if tx.Dialect() == dialect.SQLite {
		q = `INSERT INTO task_terms (user_id, term, task_number)
			SELECT $1, CAST(t.value AS BLOB), $2 FROM json_each($3) t WHERE true ON CONFLICT DO NOTHING`
	}
	return execTerms(ctx, tx, q, userID, number, terms)
}

// RemoveTerms removes terms of the task with the number from the user's search index, in one statement.
func RemoveTerms(ctx context.Context, tx *ent.Client, userID string, number int, terms []string) error {
	q := `DELETE FROM task_terms WHERE user_id = $1 AND task_number = $2
		AND term IN (SELECT convert_to(t.value, 'UTF8') FROM json_array_elements_text($3::json) t(value))`
	if tx.Dialect() == dialect.SQLite {
		q = `DELETE FROM task_terms WHERE user_id = $1 AND task_number = $2
			AND term IN (SELECT CAST(t.value AS BLOB) FROM json_each($3) t)`
	}
	return execTerms(ctx, tx, q, userID, number, terms)
}

// RemoveAllTerms removes the task with the number from the user's search index. It reads all of the user's entries.
func RemoveAllTerms(ctx context.Context, tx *ent.Client, userID string, number int) error {
	const q = `DELETE FROM task_terms WHERE user_id = $1 AND task_number = $2`
	if _, err := tx.ExecContext(ctx, q, userID, number); err != nil {
		return fmt.Errorf("writing the search index: %w", err)
	}
	return nil
}

func execTerms(ctx context.Context, tx *ent.Client, q, userID string, number int, terms []string) error {
	if len(terms) == 0 {
		return nil
	}
	list, err := json.Marshal(slices.Sorted(slices.Values(terms))) // in the index's order, which halves the cost
	if err != nil {
		return fmt.Errorf("encoding terms: %w", err)
	}
	if _, err := tx.ExecContext(ctx, q, userID, number, string(list)); err != nil {
		return fmt.Errorf("writing the search index: %w", err)
	}
	return nil
}

// TermMatch is a term that a task must have.
type TermMatch struct {
	Term string
	// Prefix means that a term that begins with Term suffices.
	Prefix bool
}

// termRange returns the bounds of the terms that begin with a term: UTF-8 contains no byte 0xFF.
func termRange(term string) (from, below []byte) { return []byte(term), append([]byte(term), 0xFF) }

// PrefixHits returns, for each term, the number of the user's entries that begin with it, counted up to limit, and
// whether tasks exist that the search index does not hold in their present version. It takes one query.
func PrefixHits(
	ctx context.Context,
	q *ent.Client,
	userID string,
	terms []string,
	limit int,
) (hits []int, stale bool, err error) {
	// The order makes PostgreSQL use the partial index: its statistics suggest that almost all tasks match.
	columns := []string{
		"(SELECT COUNT(*) FROM (SELECT 1 FROM tasks WHERE user_id = $1 AND indexed_version <> version " +
			"ORDER BY user_id, id LIMIT 1) s)",
	}
	args := []any{userID}
	for i, term := range terms {
		from, below := termRange(term)
		args = append(args, from, below)
		columns = append(columns, fmt.Sprintf("(SELECT COUNT(*) FROM (SELECT 1 FROM %s WHERE user_id = $1 AND "+
			"term >= $%d AND term < $%d LIMIT %d) s%d)", termsTable, 2*i+2, 2*i+3, limit, i))
	}
	rows, err := q.QueryContext(ctx, "SELECT "+strings.Join(columns, ", "), args...)
	if err != nil {
		return nil, false, fmt.Errorf("reading the search index: %w", err)
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, false, fmt.Errorf("reading the search index: no row: %w", rows.Err())
	}
	counts := make([]int, len(columns))
	dst := make([]any, len(columns))
	for i := range counts {
		dst[i] = &counts[i]
	}
	if err := rows.Scan(dst...); err != nil {
		return nil, false, fmt.Errorf("reading the search index: %w", err)
	}
	return counts[1:], counts[0] > 0, rows.Err()
}

// HasTerms is true for tasks that have all the terms in the user's search index.
//
// On SQLite, numbers of tasks that have a prefix are read at once, and an exact term is looked up for each task.
//
// On PostgreSQL, the numbers of tasks that have a term are read into a hash table when the first task is compared with
// it. IS TRUE keeps PostgreSQL from turning the condition into a join: its estimates of the rows per user and term can
// be wrong by orders of magnitude, and a nested loop then reads all entries of a prefix for each task.
func HasTerms(s *sql.Selector, userID, numberColumn string, terms []TermMatch) *sql.Predicate {
	sqlite := s.Dialect() == dialect.SQLite
	conditions := make([]*sql.Predicate, len(terms))
	for i, t := range terms {
		index := sql.Dialect(s.Dialect()).Select().From(sql.Table(termsTable).As(fmt.Sprintf("term_%d", i)))
		index.Select(index.C("task_number")).Where(sql.EQ(index.C("user_id"), userID))
		if t.Prefix {
			from, below := termRange(t.Term)
			index.Where(sql.And(sql.GTE(index.C("term"), from), sql.LT(index.C("term"), below)))
		} else {
			index.Where(sql.EQ(index.C("term"), []byte(t.Term)))
		}
		switch {
		case !sqlite:
			conditions[i] = sql.P(func(b *sql.Builder) {
				b.Wrap(func(b *sql.Builder) { b.Join(sql.In(s.C(numberColumn), index)) }).WriteString(" IS TRUE")
			})
		case t.Prefix:
			conditions[i] = sql.In(s.C(numberColumn), index)
		default:
			conditions[i] = sql.Exists(index.Where(sql.ColumnsEQ(index.C("task_number"), s.C(numberColumn))))
		}
	}
	return sql.And(conditions...)
}
