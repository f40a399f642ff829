package eval

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBuiltin_Cases_Valid(t *testing.T) {
	cases, err := Builtin()
	require.NoError(t, err)
	kinds, heldOut := map[string]int{}, 0
	for _, c := range cases {
		kinds[c.Kind]++
		if c.HeldOut {
			heldOut++
		}
		for _, w := range append([]Want{c.Want}, c.Alts...) {
			for _, pattern := range append(append([]string{}, w.Says...), w.SaysNot...) {
				require.False(t, matchesPattern(pattern, "\x00"), "%s: %q matches any text", c.Name, pattern)
			}
		}
	}
	require.GreaterOrEqual(t, len(cases), 1100)
	require.GreaterOrEqual(t, len(kinds), 25)
	require.GreaterOrEqual(t, heldOut, 150)
}

func TestParse_ShortForms_AreExpanded(t *testing.T) {
	cases, err := Parse([]byte(`[{"kind": "a", "have": ["Milk", {"title": "Eggs", "due": "+1"}], "say": ["x", "y"],
		"want": {"tasks": [{"title": "Milk", "due": ["fri", "none"], "priority": "low"}]}, "alts": [{"same": true}]}]`))
	require.NoError(t, err)
	require.Equal(t, "x / y [Milk; Eggs]", cases[0].Name)
	require.Equal(t, []Task{{Title: "Milk"}, {Title: "Eggs", Due: words{"+1"}}}, cases[0].Have)
	require.Equal(t, []Task{{Title: "Milk", Due: words{"fri", "none"}, Priority: words{"low"}}}, *cases[0].Want.Tasks)
}

func TestParse_InvalidFiles_Error(t *testing.T) {
	for _, bad := range []string{
		"x",
		`[{"kind":"a","say":["c"]}]`,
		`[{"kind":"a","want":{"same":true}}]`,
		`[{"say":["c"],"want":{"same":true}}]`,
		`[{"kind":"a","say":["c"],"want":{"same":true},"wont":[]}]`,
		`[{"kind":"a","say":["c"],"want":{"same":true,"tasks":[]}}]`,
		`[{"kind":"a","say":["c"],"want":{"same":true,"says":["("]}}]`,
		`[{"kind":"a","say":["c"],"want":{"tasks":["("]}}]`,
		`[{"kind":"a","say":["c"],"want":{"tasks":[{"title":"b","dew":"+1"}]}}]`,
		`[{"kind":"a","say":["c"],"want":{"tasks":[{"title":"b","due":"soon"}]}}]`,
		`[{"kind":"a","say":["c"],"want":{"tasks":[{"title":"b","due":"+1 25:00"}]}}]`,
		`[{"kind":"a","say":["c"],"want":{"tasks":[{"title":"b","priority":"big"}]}}]`,
		`[{"kind":"a","say":["c"],"want":{"same":true},"have":[{"title":"b","due":["+1","+2"]}]}]`,
		`[{"kind":"a","say":["c"],"want":{"same":true}},{"kind":"a","say":["c"],"want":{"same":true}}]`,
	} {
		_, err := Parse([]byte(bad))
		require.Error(t, err, bad)
	}
}
