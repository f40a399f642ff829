package upgrade

import (
	"testing"

	"errand/ent/enum"
	"errand/internal/testclient"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestUpgrade_ChangesOfAgent_BelongToBatchOfReply checks the batches that the migration fills.
func TestUpgrade_ChangesOfAgent_BelongToBatchOfReply(t *testing.T) {
	eachEarlierDatabase(t, func(t *testing.T, address string, r recording) {
		server := harness.Start(t, address, settings(startModel(t, true))...)
		filled := 0
		for _, recorded := range r.Responses {
			c := server.Client(t, recorded.User)
			id := testclient.Run[struct{ Viewer struct{ ID string } }](t, c, `{ viewer { id } }`, nil).Viewer.ID
			ctx := viewer.NewContext(t.Context(), viewer.Viewer{UserID: id})
			changes, err := server.DB.Client().TaskChange.Query().All(ctx)
			require.NoError(t, err)
			for _, change := range changes {
				require.Nil(t, change.Undoes)
				if change.Actor != enum.ActorAgent {
					require.Nil(t, change.BatchID)
					continue
				}
				require.NotNil(t, change.ToolCallID)
				call, err := server.DB.Client().ToolCall.Get(ctx, *change.ToolCallID)
				require.NoError(t, err)
				require.NotNil(t, change.BatchID)
				require.Equal(t, call.MessageID, *change.BatchID)
				filled++
			}
		}
		require.Positive(t, filled)
	})
}
