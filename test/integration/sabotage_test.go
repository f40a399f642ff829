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

// sabotage makes a kind of statement fail, wherever it comes from: a transaction that
// contains it commits nothing.
type sabotage struct {
	// event is what fails, such as "INSERT ON tasks".
	event string
	// when is a condition on NEW; "" means always.
	when string
}

// install puts the sabotage into a database and gives what takes it out again.
func (s sabotage) install(t *testing.T, url string) (remove func()) {
	t.Helper()
	db := testdb.Open(t, url)
	when := s.when
	if when == "" {
		when = "TRUE"
	}
	_, table, _ := strings.Cut(s.event, " ON ")
	trigger := "CREATE TRIGGER sabotage BEFORE " + s.event + " FOR EACH ROW WHEN (" + when + ")"
	if db.Dialect() == dialect.SQLite {
		execute(t, db, trigger+" BEGIN SELECT RAISE(ABORT, 'sabotage'); END")
		return func() { execute(t, db, "DROP TRIGGER sabotage") }
	}
	execute(
		t,
		db,
		"CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'sabotage'; END $$",
	)
	execute(t, db, trigger+" EXECUTE FUNCTION sabotage()")
	return func() { execute(t, db, "DROP TRIGGER sabotage ON "+table) }
}

func execute(t *testing.T, db *store.DB, statement string) {
	t.Helper()
	_, err := db.Client().ExecContext(context.Background(), statement)
	require.NoError(t, err)
}
