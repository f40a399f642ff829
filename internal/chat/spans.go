package chat

import (
	"encoding/json"

	"errand/ent/message"
	"errand/ent/predicate"
	"errand/internal/page"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// spans are the positions to read, by conversation.
type spans map[string]page.Range

// within keeps the messages in the spans. It joins the spans as a table, which walks the index
// once for each and is one statement however many there are; an OR of
// as many ranges costs PostgreSQL three times as much.
func (w spans) within() predicate.Message {
	return func(s *sql.Selector) {
		wanted := sql.With("spans", "conversation_id", "first", "last").As(sql.SelectExpr(w.rows(s.Dialect())))
		s.Prefix(wanted).Join(wanted).On(s.C(message.FieldConversationID), wanted.C("conversation_id"))
		position := s.C(message.FieldPosition)
		s.Where(sql.And(sql.ColumnsGTE(position, wanted.C("first")), sql.ColumnsLTE(position, wanted.C("last"))))
	}
}

// rows is what SELECT reads the spans with; empty ones are not among them. PostgreSQL must get
// them as columns: computed from the JSON they may fail, and what may fail is not
// looked up in an index before row security has had its say.
func (w spans) rows(engine string) sql.Querier {
	type row struct {
		C    string
		F, L int
	}
	rows := make([]row, 0, len(w))
	for id, span := range w {
		if span.From <= span.To {
			rows = append(rows, row{id, span.From, span.To})
		}
	}
	list, _ := json.Marshal(rows) // strings and numbers always marshal
	if engine == dialect.Postgres {
		return sql.Expr(`* FROM json_to_recordset($1::json) AS r("C" text, "F" int, "L" int)`, string(list))
	}
	// The limit, which is none, makes SQLite read the spans first. Else it reads all of a
	// person's messages, with their texts, and looks each up in the spans.
	return sql.Expr("value->>'C', value->>'F', value->>'L' FROM json_each(?) LIMIT -1", string(list))
}
