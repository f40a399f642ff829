package upgrade

import (
	"math"
	"net/url"
	"strings"
	"testing"

	"errand/internal/account"
	"errand/internal/quota"
	"errand/internal/testclient"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// TestUpgrade_Counters_EqualRows checks the counters that the migration fills, also when it runs as an owner of the
// tables to whom row-level security applies.
func TestUpgrade_Counters_EqualRows(t *testing.T) {
	eachEarlierDatabase(t, func(t *testing.T, address string, r recording) {
		if strings.HasPrefix(address, "postgres") {
			address = asOwner(t, address)
		}
		server := harness.Start(t, address, settings(startModel(t, true))...)
		report, err := account.CheckCounters(t.Context(), server.DB, math.MaxInt, false)
		require.NoError(t, err)
		require.Positive(t, report.Checked)
		require.Empty(t, report.Wrong)
		var total quota.Usage
		for _, recorded := range r.Responses {
			c := server.Client(t, recorded.User)
			id := testclient.Run[struct{ Viewer struct{ ID string } }](t, c, `{ viewer { id } }`, nil).Viewer.ID
			used, _, err := quota.Stored(viewer.NewContext(t.Context(), viewer.Viewer{UserID: id}), server.DB.Client(), id)
			require.NoError(t, err)
			total.OpenTasks += used.OpenTasks
			total.CompletedTasks += used.CompletedTasks
			total.TrashedTasks += used.TrashedTasks
			total.Conversations += used.Conversations
			total.Bytes += used.Bytes
		}
		require.Positive(t, total.OpenTasks)
		require.Positive(t, total.CompletedTasks)
		require.Positive(t, total.TrashedTasks)
		require.Positive(t, total.Conversations)
		require.Positive(t, total.Bytes)
	})
}

// asOwner gives all tables to a new role without further rights and returns the URL of the database with that role.
func asOwner(t *testing.T, address string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	u, err := url.Parse(address)
	require.NoError(t, err)
	name := "owner_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, u.Path)
	_, err = conn.PgConn().Exec(t.Context(), `CREATE ROLE `+name+` LOGIN; GRANT errand_app TO `+name+`;
		GRANT ALL ON SCHEMA public TO `+name+`; ALTER FUNCTION errand_guard() OWNER TO `+name+`;
		DO $$ DECLARE t record; BEGIN
			FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
				EXECUTE format('ALTER TABLE %I OWNER TO `+name+`', t.tablename);
			END LOOP;
		END $$`).ReadAll()
	require.NoError(t, err)
	u.User = url.User(name)
	return u.String()
}
