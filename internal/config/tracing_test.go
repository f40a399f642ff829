package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

type environ = map[string]string

func TestTracesURL_Settings(t *testing.T) {
	for name, c := range map[string]struct {
		set  environ
		want string
	}{
		"nothing": {environ{"OTEL_SERVICE_NAME": "x"}, ""},
		"a base":  {environ{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"}, "http://c:4318/v1/traces"},
		"one for traces": {
			environ{
				"OTEL_EXPORTER_OTLP_ENDPOINT":        "http://c:4318",
				"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://t/in",
			},
			"https://t/in",
		},
		"disabled": {environ{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "true"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Load(c.set, "")
			require.NoError(t, err)
			require.Equal(t, c.want, got.Traces.TracesURL())
		})
	}
}

func TestTracesHeaders_ParsedOrRejected(t *testing.T) {
	c, err := Load(environ{"OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b, x = 1=2,"}, "")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"api-key": "a b", "x": "1=2"}, c.Traces.TracesHeaders())
	for _, bad := range []string{"secret-without-name", "=secret", "k=%zz"} {
		_, err := Load(
			map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": bad, "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
			"",
		)
		require.ErrorContains(t, err, "OTEL_EXPORTER_OTLP_HEADERS")
		require.ErrorContains(t, err, "OTEL_EXPORTER_OTLP_ENDPOINT")
		require.NotContains(t, err.Error(), "secret")
	}
}
