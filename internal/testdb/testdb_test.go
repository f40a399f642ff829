package testdb_test

import (
	"context"
	"testing"

	"errand/ent/rule"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEach_TwoTests_GetSeparateDatabases(t *testing.T) {
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, db *store.DB) {
				ctx := rule.System(context.Background())
				require.NoError(t, db.Client().User.Create().SetSubject("alice").Exec(ctx))
				n, err := db.Client().User.Query().Count(ctx)
				require.NoError(t, err)
				require.Equal(t, 1, n)
			})
		})
	}
}
