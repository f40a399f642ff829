package auth

import (
	"maps"
	"slices"
	"testing"

	"errand/internal/refusal"

	"github.com/stretchr/testify/require"
)

// The labels of the metric are a closed list.
func TestReason_Labels_AreDistinctAndListed(t *testing.T) {
	labels := slices.Collect(maps.Values(refusalReasons))
	slices.Sort(labels)
	require.Len(t, slices.Compact(labels), len(refusalReasons))
	require.Subset(t, refusal.Reasons(), labels)
}
