package authz

import (
	"context"
	"reflect"
	"testing"

	"errand/internal/apperr"
	"errand/internal/testdb"
	"errand/internal/viewer"
	"errand/test/harness"

	"entgo.io/ent/privacy"
	"github.com/stretchr/testify/require"
)

// scopelessMethods are the methods of the domain services that need no scope, each with the reason.
var scopelessMethods = map[string]string{
	"*task.Service.ApprovalPolicy":   "every call that changes tasks needs the user's policy",
	"task.Tx.ApprovalPolicy":         "every call that changes tasks needs the user's policy",
	"*task.Service.Calendar":         "all operations need the user's time zone",
	"task.Tx.Calendar":               "all operations need the user's time zone",
	"*task.Service.TimeZone":         "all operations need the user's time zone",
	"task.Tx.TimeZone":               "all operations need the user's time zone",
	"task.Tx.Once":                   "it runs other operations, which check theirs",
	"*account.Service.EnsureUser":    "it signs in",
	"*account.Service.AllowCall":     "it counts calls of every scope",
	"*account.Service.CurrentUserID": "an ID that the token names anyway",
	"*apitoken.Service.Purge":        "it deletes what has ended long ago",
	"*usage.Ledger.Admit":            "it checks the budget of a run",
	"*usage.Ledger.Reserve":          "it is part of a run",
	"*usage.Ledger.Record":           "it is part of a run",
}

// TestScopes_DomainMethods_RequireScope calls every method of the domain services that takes a context, as a viewer
// whose token has a scope of no area, and without the entities' policies, which are less exact. A new method that
// checks no scope fails it.
func TestScopes_DomainMethods_RequireScope(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t))
	id := harness.ViewerID(t, env.Client(t, "ann"))
	ctx := viewer.NewContext(t.Context(), viewer.Viewer{UserID: id, Scopes: "no:scope"})
	ctx = privacy.DecisionContext(ctx, privacy.Allow)
	tx, err := env.SystemClient(t).Tx(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	seen := map[string]bool{}
	for _, service := range []any{
		env.Services.Tasks, env.Services.Tasks.In(tx), env.Services.Chat, env.Services.Accounts,
		env.Services.Usage, env.Services.Tokens,
	} {
		of := reflect.ValueOf(service)
		for i := range of.NumMethod() {
			method, name := of.Method(i), of.Type().String()+"."+of.Type().Method(i).Name
			typ := method.Type()
			if typ.NumIn() == 0 || typ.In(0) != reflect.TypeFor[context.Context]() {
				continue
			}
			seen[name] = true
			if scopelessMethods[name] != "" {
				continue
			}
			args := []reflect.Value{reflect.ValueOf(ctx)}
			for j := 1; j < typ.NumIn() && (!typ.IsVariadic() || j < typ.NumIn()-1); j++ {
				args = append(args, reflect.Zero(typ.In(j)))
			}
			results := method.Call(args)
			err, _ = results[len(results)-1].Interface().(error)
			require.Equal(t, apperr.Forbidden, apperr.CodeOf(err), "%s checks no scope: %v", name, err)
			require.NotEmpty(t, apperr.From(err).Scope, name)
		}
	}
	for name := range scopelessMethods {
		require.True(t, seen[name], "%s does not exist", name)
	}
}
