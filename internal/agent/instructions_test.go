package agent

import (
	"strings"
	"testing"

	"errand/internal/tool"

	"github.com/stretchr/testify/require"
)

// TestVariants_Size_StaysWithinBudget bounds what every request begins with, by the estimate of estimateText: a token
// for four ASCII characters, and one for each other character.
func TestVariants_Size_StaysWithinBudget(t *testing.T) {
	registry := tool.NewRegistry()
	for _, c := range []struct {
		name    string
		variant variant
		budget  int
	}{{"full", fullVariant(registry), 2500}, {"compact", compactVariant(registry), 1300}} {
		instructions := estimateText(c.variant.instructions)
		t.Logf("%s: instructions %d, tools %d", c.name, instructions, c.variant.toolTokens)
		require.Less(t, instructions+c.variant.toolTokens, c.budget, c.name)
	}
}

// TestVariants_Instructions_NameLimits: what does not exist is named in both variants.
func TestVariants_Instructions_NameLimits(t *testing.T) {
	for _, instructions := range []string{fullInstructions, compactInstructions} {
		for _, missing := range []string{"notifications", "e-mail", "calendar", "repeating", "subtasks", "sharing"} {
			require.Contains(t, instructions, missing)
		}
		require.NotContains(t, strings.ToLower(instructions), "person")
	}
}

func TestVariantFor_SmallWindows_AreCompact(t *testing.T) {
	a := New(Options{Tools: tool.NewRegistry()})
	require.Equal(t, a.compact, a.variantFor(4000))
	require.Equal(t, a.compact, a.variantFor(8192))
	require.Equal(t, a.full, a.variantFor(8193))
}
