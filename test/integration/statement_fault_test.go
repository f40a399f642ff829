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

// statementFault makes statements of one kind fail, so that a transaction that contains one commits nothing.
type statementFault struct {
	// event is the failing statement kind, such as "INSERT ON tasks".
	event string
	// when is a condition on NEW; "" means always.
	when string
}

// install installs the failing trigger and returns a function that removes it.
func (s statementFault) install(t *testing.T, url string) (remove func()) {
	t.Helper()
	db := testdb.Open(t, url)
	when := s.when
	if when == "" {
		when = "TRUE"
	}
	_, table, _ := strings.Cut(s.event, " ON ")
	trigger := "CREATE TRIGGER fault BEFORE " + s.event + " FOR EACH ROW WHEN (" + when + ")"
	if db.Dialect() == dialect.SQLite {
		execStatement(t, db, trigger+" BEGIN SELECT RAISE(ABORT, 'fault'); END")
		return func() { execStatement(t, db, "DROP TRIGGER fault") }
	}
	execStatement(
		t,
		db,
		"CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fault'; END $$",
	)
	execStatement(t, db, trigger+" EXECUTE FUNCTION fault()")
	return func() { execStatement(t, db, "DROP TRIGGER fault ON "+table) }
}

func execStatement(t *testing.T, db *store.DB, statement string) {
	t.Helper()
	_, err := db.Client().ExecContext(context.Background(), statement)
	require.NoError(t, err)
}
