package plans_test

import (
	"context"
	"testing"

	"errand/internal/chat"
	"errand/internal/page"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

// talkerID is a user with 100,000 messages in 100 conversations. Every message has "project"; half have "report" and
// half "meeting", none both; a tenth have "invoice", and one "zeppelin". "item1" to "item100000" are in one each.
const talkerID = "user_talker"

var talkerMessages = []string{
	`INSERT INTO users (id, created_at, updated_at, subject)
	VALUES ('` + talkerID + `', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', 'talker')`,

	`INSERT INTO conversations (id, created_at, updated_at, user_id, message_count)
	WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 99)
	SELECT 'conv_talker_' || n, '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', '` + talkerID + `', 1000 FROM n`,

	`INSERT INTO messages
		(id, created_at, updated_at, user_id, conversation_id, position, role, content, finished_at, term_count)
	WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000)
	SELECT 'msg_talker_' || (1000000 + n), '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', '` + talkerID + `',
		'conv_talker_' || (n % 100), n / 100 + 1, 'USER',
		'project name' || (n % 997) || ' ' || CASE WHEN n % 2 = 0 THEN 'report' ELSE 'meeting' END ||
			CASE WHEN n % 10 = 3 THEN ' invoice' ELSE '' END || CASE WHEN n = 4711 THEN ' zeppelin' ELSE '' END ||
			' item' || n,
		'2026-01-01 00:00:00+00:00', 0
	FROM n`,
}

// talkerTerms add the entries of the search index. {term} is a text as bytes.
var talkerTerms = []string{
	`'project'`, `'name' || (n % 997)`, `CASE WHEN n % 2 = 0 THEN 'report' ELSE 'meeting' END`,
	`CASE WHEN n % 10 = 3 THEN 'invoice' END`, `CASE WHEN n = 4711 THEN 'zeppelin' END`, `'item' || n`,
}

// loadTalker adds the user to a database.
func loadTalker(t *testing.T, db *store.DB, asBytes func(string) string) {
	t.Helper()
	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: talkerID})
	exec := func(q string) {
		_, err := db.Client().ExecContext(ctx, q)
		require.NoError(t, err)
	}
	for _, q := range talkerMessages {
		exec(q)
	}
	for _, term := range talkerTerms {
		exec(`INSERT INTO message_terms (user_id, term, message_id)
			WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000)
			SELECT '` + talkerID + `', ` + asBytes(term) + `, 'msg_talker_' || (1000000 + n)
			FROM n WHERE ` + term + ` IS NOT NULL ORDER BY 2, 3`)
	}
}

// messageSearches are searches, the number of messages on their first page, and the pages that PostgreSQL may read for
// it.
var messageSearches = map[string]struct{ found, most int }{
	"project": {20, 2500}, "p": {20, 2500}, "item": {20, 2500}, "zeppelin": {1, 60}, "project zepp": {1, 120},
	"project nowhere": {0, 60}, "proj rep": {20, 5000}, "report meeting": {0, 5000}, "name7": {20, 5000},
	"invoice project": {20, 5000}, "item4711": {11, 150}, "item47": {20, 12_000},
}

// TestPlans_SearchOfManyMessages_ReadsFewPages checks the plans, and the pages that they read, of searches among
// 100,000 messages. Other users have few, and statistics may be missing.
func TestPlans_SearchOfManyMessages_ReadsFewPages(t *testing.T) {
	owner := testdb.Postgres(t)
	loadTalker(t, owner, func(term string) string { return "convert_to(" + term + ", 'UTF8')" })
	client, sent := newRecordedClient(t, owner)
	db := openServed(t, owner)
	for _, statistics := range []string{"", "VACUUM ANALYZE"} {
		if statistics != "" {
			execute(t, owner, statistics)
		}
		searchAll(t, chat.NewService(client, stream.NewHub(), noRuns{}, nil, chat.Limits{}), func(query string, most int) {
			read, plans := 0, ""
			for _, statement := range sent.take(t, "SELECT") {
				plan, text := explain(t, db, statement)
				require.Empty(t, plan.find("Seq Scan", "Bitmap Heap Scan"), text)
				read += plan.Hit + plan.Read
				plans += text
			}
			t.Logf("%-20s %6d pages (%s)", query, read, statistics)
			require.LessOrEqual(t, read, most, "%s\n%s", query, plans)
		})
	}
}

func searchAll(t *testing.T, s *chat.Service, check func(query string, most int)) {
	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: talkerID})
	for query, c := range messageSearches {
		found, err := s.SearchMessages(ctx, page.Args{}, query)
		require.NoError(t, err, query)
		require.Len(t, found.Edges, c.found, query)
		check(query, c.most)
	}
}
