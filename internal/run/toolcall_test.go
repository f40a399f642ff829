package run

import (
	"context"
	"testing"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/rule"
	"errand/ent/toolcall"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

// recordToolCall returns an effect that stores a tool call without executing it.
func recordToolCall(messageID string) func(context.Context, *ent.Tx) error {
	return func(ctx context.Context, tx *ent.Tx) error {
		return tx.ToolCall.Create().SetMessageID(messageID).SetSeq(0).SetStep(0).SetProviderID("c0").SetTextOffset(0).
			SetName("add_task").SetArguments("{}").Exec(rule.SkipEdgeCheck(ctx, messageID))
	}
}

func TestFinish_WithoutHandler_FailsUnexecutedToolCalls(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, env environment, alice context.Context, e *Engine, job Job){
		"cancelled by the user": func(t *testing.T, env environment, alice context.Context, e *Engine, job Job) {
			env.expireLease(job.RunID)
			now, err := e.Cancel(alice, job.MessageID)
			require.NoError(t, err)
			require.True(t, now)
		},
		"failed as stale": func(_ *testing.T, env environment, _ context.Context, e *Engine, job Job) {
			env.expireLease(job.RunID)
			e.failStaleRuns(context.Background())
		},
	} {
		t.Run(name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, db *store.DB) {
				env := environment{t, db}
				handler, calls := manualHandler()
				e := env.startEngine(env.newEngine(Options{MaxAttempts: 1}), handler)
				alice := env.newUser()
				env.addConversation(alice, e)
				call := receive(t, calls)
				require.NoError(t, e.Do(call.ctx, call.job, recordToolCall(call.job.MessageID)))
				end(t, env, alice, e, call.job)
				require.True(t, env.findMessage(call.job.MessageID).Status.Terminal())
				open, err := db.Client().ToolCall.Query().Where(toolcall.MessageID(call.job.MessageID)).Only(alice)
				require.NoError(t, err)
				require.Equal(t, enum.ToolCallFailed, open.Status)
				require.JSONEq(t, UnexecutedResult, *open.Result)
				call.result <- nil
			})
		})
	}
}
