package server

import (
	"testing"

	"errand/internal/config"
	"errand/internal/graphqlhttp/limits"
	"errand/internal/run"

	"github.com/stretchr/testify/require"
)

// The defaults of packages that have their own must equal those of the settings, which .env.example documents.
func TestDefaults_OfPackages_EqualConfig(t *testing.T) {
	cfg, err := config.Load(nil, "")
	require.NoError(t, err)
	require.Equal(t, config.Runs{
		Lease:       run.DefaultLease,
		Sweep:       run.DefaultSweepInterval,
		MaxAttempts: run.DefaultMaxAttempts,
		Concurrency: run.DefaultConcurrency,
	}, cfg.Runs)

	query := limits.Default()
	for name, values := range map[string][2]int{
		"QUERY_MAX_TOKENS":      {cfg.Limits.QueryTokens, query.Tokens},
		"QUERY_MAX_DEPTH":       {cfg.Limits.QueryDepth, query.Depth},
		"QUERY_MAX_FIELDS":      {cfg.Limits.QueryFields, query.Fields},
		"QUERY_MAX_ROOT_FIELDS": {cfg.Limits.QueryRootFields, query.RootFields},
		"QUERY_MAX_ALIASES":     {cfg.Limits.QueryAliases, query.Aliases},
		"QUERY_MAX_DIRECTIVES":  {cfg.Limits.QueryDirectives, query.Directives},
		"QUERY_MAX_FRAGMENTS":   {cfg.Limits.QueryFragments, query.Fragments},
		"QUERY_MAX_COMPLEXITY":  {cfg.Limits.QueryComplexity, query.Cost},
	} {
		require.Equal(t, values[0], values[1], name)
	}
}
