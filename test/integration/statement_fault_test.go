package integration

import (
	"context"
	"strings"
	"testing"

	"errand/internal/store"
	"errand/internal/testdb"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"
)

// statementFault makes a kind of statement fail, wherever it comes from: a transaction that
// contains it commits nothing.
type statementFault struct {
	// event is what fails, such as "INSERT ON tasks".
	event string
	// when is a condition on NEW; "" means always.
	when string
}

// install puts the sabotage into a database and gives what takes it out again.
func (s statementFault) install(t *testing.T, url string) (remove func()) {
	t.Helper()
	db := testdb.Open(t, url)
	when := s.when
	if when == "" {
		when = "TRUE"
	}
	_, table, _ := strings.Cut(s.event, " ON ")
	trigger := "CREATE TRIGGER sabotage BEFORE " + s.event + " FOR EACH ROW WHEN (" + when + ")"
	if db.Dialect() == dialect.SQLite {
		execStatement(t, db, trigger+" BEGIN SELECT RAISE(ABORT, 'sabotage'); END")
		return func() { execStatement(t, db, "DROP TRIGGER sabotage") }
	}
	execStatement(
		t,
		db,
		"CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'sabotage'; END $$",
	)
	execStatement(t, db, trigger+" EXECUTE FUNCTION sabotage()")
	return func() { execStatement(t, db, "DROP TRIGGER sabotage ON "+table) }
}

func execStatement(t *testing.T, db *store.DB, statement string) {
	t.Helper()
	_, err := db.Client().ExecContext(context.Background(), statement)
	require.NoError(t, err)
}
