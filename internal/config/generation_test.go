package config_test

import (
	"testing"

	"errand/internal/config"

	"github.com/stretchr/testify/require"
)

func TestLoad_Generation_Read(t *testing.T) {
	l := load(t, vars{}).LLM
	require.Nil(t, l.Temperature)
	require.Equal(t, config.ThinkingAuto, l.Thinking)
	l = load(t, vars{
		"LLM_REASONING_EFFORT": "LOW", "LLM_THINKING": "On", "LLM_TEMPERATURE": "0", "LLM_MAX_OUTPUT_TOKENS": "256",
	}).LLM
	require.Equal(t, "low", l.ReasoningEffort)
	require.Equal(t, "on", l.Thinking)
	require.Zero(t, *l.Temperature)
	require.Equal(t, 256, l.MaxOutputTokens)
}

func TestLoad_InvalidGeneration_Error(t *testing.T) {
	for variable, values := range map[string][]string{
		"LLM_REASONING_EFFORT":  {"max", "1"},
		"LLM_THINKING":          {"true"},
		"LLM_TEMPERATURE":       {"-0.1", "2.1", "NaN", "Inf", "warm"},
		"LLM_MAX_OUTPUT_TOKENS": {"-1", "255", "128001", "many"},
	} {
		for _, value := range values {
			require.Contains(t, loadErrors(t, vars{variable: value}, ""), variable, value)
		}
	}
	require.Equal(t, "is not a number", loadErrors(t, vars{"LLM_TEMPERATURE": "warm"}, "")["LLM_TEMPERATURE"].Problem)
}

func TestLoad_ImpossibleGeneration_ErrorNamesBothSettings(t *testing.T) {
	for _, c := range []struct {
		variable, other string
		values          vars
	}{
		{"LLM_REASONING_EFFORT", "LLM_THINKING", vars{"LLM_REASONING_EFFORT": "low", "LLM_THINKING": "off"}},
		{"LLM_REASONING_EFFORT", "LLM_THINKING", vars{"LLM_REASONING_EFFORT": "none", "LLM_THINKING": "on"}},
		{
			"LLM_MAX_OUTPUT_TOKENS", "LLM_CONTEXT_TOKENS",
			vars{"LLM_MAX_OUTPUT_TOKENS": "4000", "LLM_CONTEXT_TOKENS": "4000"},
		},
		{
			"LLM_TEMPERATURE", "LLM_THINKING",
			vars{"ANTHROPIC_API_KEY": "k", "LLM_TEMPERATURE": "1", "LLM_THINKING": "on"},
		},
		{"LLM_TEMPERATURE", "LLM_REASONING_EFFORT", vars{
			"ANTHROPIC_API_KEY": "k", "LLM_PROVIDER": "rules", "LLM_FALLBACK": "anthropic",
			"LLM_TEMPERATURE": "1", "LLM_REASONING_EFFORT": "low",
		}},
		{
			"LLM_MAX_OUTPUT_TOKENS", "LLM_THINKING",
			vars{"ANTHROPIC_API_KEY": "k", "LLM_MAX_OUTPUT_TOKENS": "2047", "LLM_THINKING": "on"},
		},
	} {
		err := loadErrors(t, c.values, "")[c.variable]
		require.Contains(t, err.Problem, c.other)
	}
	load(t, vars{"LLM_TEMPERATURE": "1", "LLM_THINKING": "on", "OPENAI_API_KEY": "k"})
	load(t, vars{"ANTHROPIC_API_KEY": "k", "LLM_TEMPERATURE": "1", "LLM_THINKING": "off", "LLM_REASONING_EFFORT": "none"})
}
