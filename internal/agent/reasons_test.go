package agent_test

import (
	"testing"

	"errand/ent/enum"
	"errand/internal/llm"

	"github.com/stretchr/testify/require"
)

// TestNewMessageError_EveryReason_HasText compares the stored reasons with the texts that users see.
func TestNewMessageError_EveryReason_HasText(t *testing.T) {
	unknown := "unknown"
	seen := map[string]bool{enum.NewMessageError("SERVICE_UNAVAILABLE", &unknown).Message: true}
	for _, reason := range llm.Reasons {
		stored := string(reason)
		text := enum.NewMessageError("SERVICE_UNAVAILABLE", &stored).Message
		require.False(t, seen[text], "%s has no text of its own", reason)
		seen[text] = true
	}
}
