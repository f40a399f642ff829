package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestAShortStorm is a run with everything that can break. "make chaos" makes long ones.
func TestAShortStorm(t *testing.T) {
	o := options{Seed: uint64(os.Getpid()), For: 14 * time.Second, Conversations: 12, Out: t.Output()}
	require.NoError(t, storm(t.Context(), o))
}

// TestARollingRestart restarts all replicas in turn, while people talk: no request may
// fail but in a way that invites a repetition, and no stream may have a gap.
func TestARollingRestart(t *testing.T) {
	o := options{Seed: uint64(os.Getpid()), For: 8 * time.Second, Conversations: 12, Out: t.Output(), Rolling: true}
	require.NoError(t, storm(t.Context(), o))
}

func TestMutantsFitTheirSources(t *testing.T) {
	root, err := moduleRoot(t.Context())
	require.NoError(t, err)
	for _, m := range mutants {
		flags, err := m.flags(root, t.TempDir())
		require.NoError(t, err)
		require.NotEmpty(t, flags)
	}
}

func TestPlansReadAsTheyWereWritten(t *testing.T) {
	random := options{Seed: 1}.random("plan", 0)
	for range 100 {
		p := newPlan(random, "c1-t1")
		read, ok := parsePlan(p.message())
		require.True(t, ok)
		require.Equal(t, p, read)
	}
	p := plan{turn: "t", steps: [][]string{{"a", "b"}, {"c"}}}
	for results, want := range map[int][]string{0: {"a", "b"}, 2: {"c"}, 3: nil} {
		titles, ok := p.step(results)
		require.True(t, ok)
		require.Equal(t, want, titles)
	}
	for _, results := range []int{1, 4} {
		_, ok := p.step(results)
		require.False(t, ok)
	}
}
