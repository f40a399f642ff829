package config

import (
	"os"
	"reflect"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

const examplePath = "../../.env.example"

// documentedDefaults returns the variables of .env.example with their defaults.
func documentedDefaults(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile(examplePath)
	require.NoError(t, err)
	shown := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^#([A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(content), -1) {
		require.NotContains(t, shown, m[1], "documented twice")
		shown[m[1]] = m[2]
	}
	return shown
}

func TestEnvExample_Variables_EqualConfigDefaults(t *testing.T) {
	defaults := map[string]string{}
	for field := range fieldsOf(reflect.TypeFor[Config]()) {
		defaults[field.Tag.Get("env")] = field.Tag.Get("envDefault")
	}
	require.Greater(t, len(defaults), 40)
	require.Equal(t, defaults, documentedDefaults(t))
	require.Equal(t, openAIDefaultURL, defaults["OPENAI_BASE_URL"])
}

func TestEnvExample_AllLinesEnabled_LoadsDefaults(t *testing.T) {
	content, err := os.ReadFile(examplePath)
	require.NoError(t, err)
	live := regexp.MustCompile(`(?m)^#([A-Z_]+=)`).ReplaceAllString(string(content), "$1")
	path := t.TempDir() + "/.env"
	require.NoError(t, os.WriteFile(path, []byte(live), 0o600))

	want, err := Load(nil, "")
	require.NoError(t, err)
	got, err := Load(nil, path)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// The parser reports a field by its Go name only.
func TestConfig_FieldNames_Unique(t *testing.T) {
	seen := map[string]string{}
	for field := range fieldsOf(reflect.TypeFor[Config]()) {
		variable := field.Tag.Get("env")
		require.NotContains(t, seen, field.Name, "also used for %s", variable)
		require.NotContains(t, variable, ",", "options are not used")
		seen[field.Name] = variable
	}
}
