package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// "make chaos" performs longer runs.
func TestRunChaos_AllFaults_HoldsInvariants(t *testing.T) {
	o := options{Seed: uint64(os.Getpid()), For: 14 * time.Second, Conversations: 12, Out: t.Output()}
	require.NoError(t, runChaos(t.Context(), o))
}

// During graceful restarts, requests may fail with retryable errors only, and no stream may have a gap.
func TestRunChaos_RollingRestart_HoldsInvariants(t *testing.T) {
	o := options{Seed: uint64(os.Getpid()), For: 8 * time.Second, Conversations: 12, Out: t.Output(), Rolling: true}
	require.NoError(t, runChaos(t.Context(), o))
}

// No accepted message may be lost in a failover, and each replica must write again.
func TestRunChaos_Failovers_HoldsInvariants(t *testing.T) {
	o := options{Seed: uint64(os.Getpid()), For: 8 * time.Second, Conversations: 6, Out: t.Output(), Failover: true}
	require.NoError(t, runChaos(t.Context(), o))
}

// The same holds for one server on SQLite that is killed and restarted.
func TestRunChaos_SQLite_HoldsInvariants(t *testing.T) {
	o := options{Seed: uint64(os.Getpid()), For: 8 * time.Second, Conversations: 6, Out: t.Output(), SQLite: true}
	require.NoError(t, runChaos(t.Context(), o))
}

func TestMutants_CurrentSources_MatchOnce(t *testing.T) {
	root, err := moduleRoot(t.Context())
	require.NoError(t, err)
	for _, m := range mutants {
		flags, err := m.flags(root, t.TempDir())
		require.NoError(t, err)
		require.NotEmpty(t, flags)
	}
}

func TestParseScript_EncodedScript_ReturnsIt(t *testing.T) {
	random := options{Seed: 1}.random("script", 0)
	for range 100 {
		s := newScript(random, "c1-t1")
		parsed, ok := parseScript(s.message())
		require.True(t, ok)
		require.Equal(t, s, parsed)
	}
}

func TestScriptStep_NumberOfResults_ReturnsNextTitles(t *testing.T) {
	s := script{turn: "t", steps: [][]string{{"a", "b"}, {"c"}}}
	for results, want := range map[int][]string{0: {"a", "b"}, 2: {"c"}, 3: nil} {
		titles, ok := s.step(results)
		require.True(t, ok)
		require.Equal(t, want, titles)
	}
	for _, results := range []int{1, 4} {
		_, ok := s.step(results)
		require.False(t, ok)
	}
}
