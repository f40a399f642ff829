package agent_test

import (
	"encoding/json"
	"strings"
	"testing"

	"errand/internal/store"
	"errand/internal/task"

	"github.com/stretchr/testify/require"
)

func TestHandle_LongList_IsCutBetweenTasks(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		w := newOfflineFixture(t, db)
		long := strings.Repeat("x", 10_000)
		for range 6 {
			_, err := w.tasks.CreateTask(w.ctx, task.CreateTaskInput{Title: "Long", Description: &long})
			require.NoError(t, err)
		}
		result, err := w.tools.Call(w.ctx, w.tasks, "list_tasks", "{}")
		require.NoError(t, err)
		var shown struct {
			Tasks []struct{ Description string }
			Total int
		}
		require.NoError(t, json.Unmarshal([]byte(result.JSON), &shown))
		require.Equal(t, 6, shown.Total)
		require.Len(t, shown.Tasks, 3)
		require.Len(t, shown.Tasks[2].Description, 10_000, "no task is cut")
	})
}
