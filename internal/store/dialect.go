package store

import (
	"encoding/json"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// SQL holds the SQL fragments in which the engines differ, for hand-written statements.
type SQL struct {
	// Now is an expression for the database's clock, in milliseconds since 1970 UTC. It advances
	// within a transaction, unlike PostgreSQL's now(), so that it is right after waiting for a lock.
	Now string
	// SkipLocked is a suffix that locks the selected rows of the table alias r and skips rows that
	// other transactions hold. It is empty on SQLite, which has one writer at a time.
	SkipLocked string
	// WorkerUnlocked is a condition on the column worker: no process holds the SessionLock of that name. It is
	// false on SQLite, which has no such locks.
	WorkerUnlocked string

	postgres bool
}

// JSONBytes is an expression for the bytes of the texts in a JSON array: of its elements, or of a member of each.
func (s SQL) JSONBytes(column, member string) string {
	if s.postgres {
		value := "j.value #>> '{}'"
		if member != "" {
			value = "j.value ->> '" + member + "'"
		}
		return "(SELECT COALESCE(SUM(octet_length(" + value + ")), 0) FROM jsonb_array_elements(CASE jsonb_typeof(" +
			column + ") WHEN 'array' THEN " + column + " ELSE '[]' END) j(value))"
	}
	value := "j.value"
	if member != "" {
		value = "j.value ->> '" + member + "'"
	}
	return "(SELECT COALESCE(SUM(octet_length(" + value + ")), 0) FROM json_each(" + column + ") j)"
}

// JSONListBytes is an expression for the bytes of the texts in a member of each element of a JSON array. The member is
// an array of texts, which elements may lack.
func (s SQL) JSONListBytes(column, member string) string {
	if s.postgres {
		return "(SELECT COALESCE(SUM(octet_length(k.value #>> '{}')), 0) FROM jsonb_array_elements(CASE jsonb_typeof(" +
			column + ") WHEN 'array' THEN " + column + " ELSE '[]' END) j(value), " +
			"jsonb_array_elements(COALESCE(j.value -> '" + member + "', '[]')) k(value))"
	}
	return "(SELECT COALESCE(SUM(octet_length(k.value)), 0) FROM json_each(" + column + ") j, " +
		"json_each(j.value, '$." + member + "') k)"
}

var (
	sqliteSQL   = SQL{Now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)", WorkerUnlocked: "FALSE"}
	postgresSQL = SQL{
		Now:            "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
		SkipLocked:     "FOR UPDATE OF r SKIP LOCKED",
		WorkerUnlocked: lockKey("worker") + " NOT IN (" + heldLocks + ")",
		postgres:       true,
	}
)

// SQL returns the fragments for this database's engine.
func (db *DB) SQL() SQL {
	if db.dialect == dialect.Postgres {
		return postgresSQL
	}
	return sqliteSQL
}

// SingleServer reports whether only one process runs the engine on the database: see LockServer.
func (db *DB) SingleServer() bool { return db.dialect == dialect.SQLite }

// LockForNoKeyUpdate makes a query lock the rows it selects until the transaction ends. On SQLite
// it does nothing: write transactions are serial there.
func LockForNoKeyUpdate(s *sql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.For(sql.LockNoKeyUpdate)
	}
}

// LimitCount makes a query that counts the rows of a table stop at limit. It is a modifier of the query. The rows are
// counted in a subquery with the table's name, by which Ent refers to the counted column.
func LimitCount(s *sql.Selector, table, idColumn string, limit int) {
	matching := s.Clone().ClearOrder().Select(s.C(idColumn)).Limit(limit)
	*s = *sql.Dialect(s.Dialect()).Select().From(matching.As(table))
}

// CountElements makes a query of rows with a JSON array of strings count the rows of each element, as the columns name
// and count. The most frequent elements come first, equally frequent ones in the order of their bytes, and at most
// limit of them. Other JSON values have no elements. It is a modifier of the query.
func CountElements(s *sql.Selector, column string, limit int) {
	array := func(typeOf string) string {
		return "(CASE " + typeOf + "(" + s.C(column) + ") WHEN 'array' THEN " + s.C(column) + " ELSE '[]' END)"
	}
	elements, order := "json_each"+array("json_type"), "value"
	if s.Dialect() == dialect.Postgres {
		elements, order = "jsonb_array_elements_text"+array("jsonb_typeof")+" AS element(value)", `value COLLATE "C"`
	}
	s.AppendFromExpr(sql.Raw(elements)).
		Select(sql.As("value", "name"), sql.As(sql.Count("*"), "count")).
		GroupBy("value").
		OrderExpr(sql.Raw("COUNT(*) DESC, " + order)).
		Limit(limit)
}

// ContainsAllWords is true for rows in which each word occurs in the text column a or b, in any
// case. Neither engine uses LIKE for it, whose time is the product of the lengths, once for each word.
func ContainsAllWords(s *sql.Selector, words []string, a, b string) *sql.Predicate {
	first, second, all := s.C(a), s.C(b), strings.Join(words, " ")
	return sql.P(func(p *sql.Builder) {
		if s.Dialect() != dialect.Postgres {
			p.WriteString("mentions(").IdentComma(first, second).Comma().Arg(all).WriteString(")")
			return
		}
		// OFFSET 0 keeps PostgreSQL from folding the text once for each word.
		p.WriteString("(SELECT bool_and(strpos(folded.text, lower(word)) > 0) FROM (SELECT lower(").
			Ident(first).WriteString(" || ' ' || ").Ident(second).
			WriteString(") AS text OFFSET 0) AS folded, unnest(string_to_array(").Arg(all).WriteString(", ' ')) AS word)")
	})
}

// InValues is true for rows whose text column has one of the values, of which there is at least one. On PostgreSQL it
// adds the range of the values, which always limits the part of an index that is read: the values alone are compared
// with each row of the user where the average user has few.
func InValues(column string, values ...string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		s.Where(sql.In(s.C(column), list...))
		if s.Dialect() == dialect.Postgres {
			s.Where(sql.And(sql.GTE(s.C(column), slices.Min(values)), sql.LTE(s.C(column), slices.Max(values))))
		}
	}
}

// KeyRange is a range of positions, both ends included, among the rows with one key.
type KeyRange struct {
	Key   string `json:"K"`
	First int    `json:"F"`
	Last  int    `json:"L"`
}

// InRanges limits a query to the rows whose key and position columns lie in one of the ranges. It reads the index of
// these columns once for each range in one statement, however many there are; an OR of as many conditions takes
// PostgreSQL three times as long.
func InRanges(s *sql.Selector, key, position string, ranges []KeyRange) {
	list, _ := json.Marshal(ranges) // strings and integers always marshal
	if s.Dialect() == dialect.Postgres {
		// A query of the same name takes the place of the table. OFFSET 0 keeps PostgreSQL from turning it into a join:
		// for users with few rows on average, a hash join with all rows of the user seems cheaper, and one user may have
		// a hundred times as many. The columns are typed, because an expression over the JSON may fail, and row-level
		// security keeps an expression that may fail from being used to look up an index.
		found := sql.ExprFunc(func(b *sql.Builder) {
			b.WriteString("found.* FROM json_to_recordset(").Arg(string(list)).
				WriteString(`::json) AS r("K" text, "F" int, "L" int) CROSS JOIN LATERAL (SELECT * FROM `).
				Ident(s.TableName()).WriteString(" WHERE ").Ident(key).WriteString(` = r."K" AND `).
				Ident(position).WriteString(` BETWEEN r."F" AND r."L" OFFSET 0) AS found`)
		})
		s.Prefix(sql.With(s.TableName()).As(sql.Dialect(dialect.Postgres).SelectExpr(found)))
		return
	}
	// LIMIT -1 is no limit, but makes SQLite read the ranges first. Otherwise it reads all messages
	// of the user, with their texts, and looks up each in the ranges.
	rows := sql.Expr("value->>'K', value->>'F', value->>'L' FROM json_each(?) LIMIT -1", string(list))
	table := sql.With("ranges", "key", "first", "last").As(sql.SelectExpr(rows))
	s.Prefix(table).Join(table).On(s.C(key), table.C("key"))
	column := s.C(position)
	s.Where(sql.And(sql.ColumnsGTE(column, table.C("first")), sql.ColumnsLTE(column, table.C("last"))))
}
