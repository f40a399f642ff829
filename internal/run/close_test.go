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

// recordsCall is an effect that records a tool call and does not do it.
func recordsCall(messageID string) func(context.Context, *ent.Tx) error {
	return func(ctx context.Context, tx *ent.Tx) error {
		return tx.ToolCall.Create().SetMessageID(messageID).SetSeq(0).SetStep(0).SetProviderID("c0").SetTextOffset(0).
			SetName("add_task").SetArguments("{}").Exec(rule.SkipEdgeCheck(ctx, messageID))
	}
}

// TestNoToolCallStaysOpenWhoeverEndsTheReply ends replies whose writer is gone.
func TestNoToolCallStaysOpenWhoeverEndsTheReply(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, w world, alice context.Context, e *Engine, job Job){
		"its person": func(t *testing.T, w world, alice context.Context, e *Engine, job Job) {
			w.expire(job.RunID)
			now, err := e.Cancel(alice, job.MessageID)
			require.NoError(t, err)
			require.True(t, now)
		},
		"the sweep": func(_ *testing.T, w world, _ context.Context, e *Engine, job Job) {
			w.expire(job.RunID)
			e.sweep(context.Background())
		},
	} {
		t.Run(name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, db *store.DB) {
				w := world{t, db}
				handler, calls := puppet()
				e := w.start(w.engine(Options{MaxAttempts: 1}), handler)
				alice := w.person()
				w.newTurn(alice, e)
				call := await(t, calls)
				require.NoError(t, e.Do(call.ctx, call.job, recordsCall(call.job.MessageID)))
				end(t, w, alice, e, call.job)
				require.True(t, w.message(call.job.MessageID).Status.Terminal())
				open, err := db.Client().ToolCall.Query().Where(toolcall.MessageID(call.job.MessageID)).Only(alice)
				require.NoError(t, err)
				require.Equal(t, enum.ToolCallFailed, open.Status)
				require.Equal(t, UnexecutedResult, *open.Result)
				call.answer <- nil
			})
		})
	}
}
