package ids

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.jetify.com/typeid"
)

// FuzzPrefix passes arbitrary strings as ids. Only a string that New could have returned, byte for byte, has a prefix.
func FuzzPrefix(f *testing.F) {
	const suffix = "01m81g5w7wegh82z02z1ydv7bj"
	for _, id := range []string{
		"", "_", suffix, "_" + suffix, "task_" + suffix, "conv_" + suffix + " ",
		"task_" + strings.ToUpper(suffix), "TASK_" + suffix, "task_8" + suffix[1:], "a_b_" + suffix, "a__" + suffix,
		"task_" + suffix[1:], "task\x00_" + suffix, strings.Repeat("a", 41),
	} {
		f.Add(id, []byte("0123456789abcdef"))
	}
	f.Fuzz(func(t *testing.T, id string, uuid []byte) {
		if prefix := Prefix(id); prefix != "" {
			parsed, err := typeid.FromString(id)
			require.NoError(t, err)
			again, err := typeid.FromUUIDBytesWithPrefix(prefix, parsed.UUIDBytes())
			require.NoError(t, err)
			require.Equal(t, id, again.String(), "accepted another spelling of the id")
			require.LessOrEqual(t, len(id), 40, "longer than the database column")
			require.True(t, Is(id, prefix))
			require.False(t, Is(id, prefix+"x"))
		}
		if len(uuid) == 16 {
			id, err := typeid.FromUUIDBytesWithPrefix(Task, uuid)
			require.NoError(t, err)
			require.Equal(t, Task, Prefix(id.String()))
		}
	})
}

func TestPrefix_NewID_ReturnsItsPrefix(t *testing.T) {
	prefixes := []string{
		User, Task, Conversation, Message, ToolCall, Run, Change, UsageDay, IdempotencyKey, APIToken, Login, SignInSession,
		Passkey, SignInLink, SignInKey,
	}
	for _, prefix := range prefixes {
		require.Equal(t, prefix, Prefix(New(prefix)()))
	}
}

func TestPrefix_OversizedID_IsRejectedWithoutAllocation(t *testing.T) {
	long := "task_" + strings.Repeat("0", 1<<20)
	require.Zero(t, testing.AllocsPerRun(10, func() { require.Empty(t, Prefix(long)) }))
}
