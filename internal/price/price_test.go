package price

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse_Lists_ReturnPricesOrError(t *testing.T) {
	list, err := Parse(" openai/gpt-6-luna=0.20:0.80:0.05, ollama/qwen3:8b=0:0 ,")
	require.NoError(t, err)
	require.Equal(t, List{"openai/gpt-6-luna": {0.2, 0.8, 0.05}, "ollama/qwen3:8b": {}}, list)
	for _, bad := range []string{"x", "=1:1", "a=1", "a=1:2:3:4", "a=-1:2", "a=NaN:1", "a=1e9:1", "a=1:b"} {
		_, err := Parse(bad)
		require.Error(t, err, bad)
	}
}

func TestCost_Tokens_AreChargedByKind(t *testing.T) {
	list := List{"m": {Input: 2, Output: 10, Cached: 0.0375}}
	nanos, ok := list.Cost("m", Tokens{Input: 1_000_000, Output: 100_000, Cached: 200_000})
	require.True(t, ok)
	require.Equal(t, int64(1_600_000_000+7_500_000+1_000_000_000), nanos)
	nanos, _ = list.Cost("m", Tokens{Input: 5, Cached: 9})
	require.Equal(t, int64(188), nanos, "no more can be cached than was read")
	_, ok = list.Cost("other", Tokens{Input: 1})
	require.False(t, ok)
}
