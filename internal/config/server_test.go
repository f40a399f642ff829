package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"errand/internal/config"

	"github.com/stretchr/testify/require"
)

func TestOriginAllowed_ListedAndLoopback(t *testing.T) {
	c := load(t, vars{"CORS_ALLOWED_ORIGINS": "https://App.example.com/, http://lan:3000"})
	require.True(t, c.OriginAllowed("https://app.example.com"))
	require.True(t, c.OriginAllowed("http://lan:3000"))
	require.True(t, c.OriginAllowed("http://localhost:5173"), "loopback pages may call in development")
	for _, foreign := range []string{
		"http://app.example.com", "https://app.example.com.evil.com", "null", "", "https://app.example.com/x",
		"http://localhost.evil.com", "http://127.0.0.1.evil.com", "file://",
	} {
		require.False(t, c.OriginAllowed(foreign), foreign)
	}
	production := load(t, vars{"ENVIRONMENT": "production", "AUTH_JWKS_URL": jwksURL})
	require.False(t, production.OriginAllowed("http://localhost:5173"))
	require.True(t, load(t, vars{"CORS_ALLOWED_ORIGINS": "*"}).OriginAllowed("https://any.example"))
}

func TestIsLoopbackHost_Hosts(t *testing.T) {
	for _, host := range []string{"localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "[::1]", "::ffff:127.0.0.1"} {
		require.True(t, config.IsLoopbackHost(host), host)
	}
	for _, host := range []string{
		"", "localhost.", "evil.com", "localhost.evil.com", "127.0.0.1.nip.io", "0.0.0.0", "::", "128.0.0.1", "2130706433",
	} {
		require.False(t, config.IsLoopbackHost(host), host)
	}
}

func TestIntrospectionEnabled_Modes(t *testing.T) {
	production := vars{"ENVIRONMENT": "production", "AUTH_JWKS_URL": jwksURL, "INTROSPECTION": "on"}
	require.True(t, load(t, production).IntrospectionEnabled())
	require.False(t, load(t, vars{"INTROSPECTION": "OFF"}).IntrospectionEnabled())
}

func TestPlaygroundEnabled_Modes(t *testing.T) {
	production := func(v vars) vars {
		v["ENVIRONMENT"], v["AUTH_JWKS_URL"] = "production", jwksURL
		return v
	}
	for _, tc := range []struct {
		settings vars
		enabled  bool
	}{
		{vars{}, true},
		{vars{"INTROSPECTION": "off"}, true},
		{vars{"PLAYGROUND": "OFF"}, false},
		{production(vars{}), false},
		{production(vars{"INTROSPECTION": "on"}), true},
		{production(vars{"INTROSPECTION": "on", "PLAYGROUND": "off"}), false},
		{production(vars{"PLAYGROUND": "on"}), true},
	} {
		require.Equal(t, tc.enabled, load(t, tc.settings).PlaygroundEnabled(), "%v", tc.settings)
	}
	require.Contains(t, loadErrors(t, vars{"PLAYGROUND": "maybe"}, ""), "PLAYGROUND")
}

func TestLoad_ServerSettings_NormalizedAndValidated(t *testing.T) {
	require.Equal(t, config.AdminOff, load(t, vars{"ADMIN_ADDR": "OFF"}).Server.AdminAddr)
	require.Contains(t, loadErrors(t, vars{"ADMIN_ADDR": "127.0.0.1:8080"}, "")["ADMIN_ADDR"].Problem, "ADDR")
	load(t, vars{"ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0"})
	require.Equal(t, []string{"a.internal", "b"}, load(t, vars{"ADMIN_HOSTS": "A.internal., b"}).Server.AdminHosts)
	require.Contains(t, loadErrors(t, vars{"ADMIN_HOSTS": "a.internal:8090"}, ""), "ADMIN_HOSTS")
	require.Equal(t, "https://e.example.com", load(t, vars{"PUBLIC_URL": "https://e.example.com/"}).Server.PublicURL)

	file := filepath.Join(t.TempDir(), "ops.json")
	require.NoError(t, os.WriteFile(file, []byte("{}"), 0o600))
	require.Equal(t, file, load(t, vars{"PERSISTED_QUERIES_FILE": file}).Server.PersistedQueriesFile)
}

func TestLoad_PublicURL_MayHavePath(t *testing.T) {
	for text, want := range map[string][3]string{
		"":                                {"", "", ""},
		"https://e.example.com/":          {"https://e.example.com", "https://e.example.com", ""},
		"HTTPS://E.example.com:8443":      {"https://e.example.com:8443", "https://e.example.com:8443", ""},
		"https://e.example.com/Errand/":   {"https://e.example.com/Errand", "https://e.example.com", "/Errand"},
		"http://[::1]:1/a/b_c-d.e~f":      {"http://[::1]:1/a/b_c-d.e~f", "http://[::1]:1", "/a/b_c-d.e~f"},
		"https://e.example.com/x/graphql": {"https://e.example.com/x/graphql", "https://e.example.com", "/x/graphql"},
	} {
		s := load(t, vars{"PUBLIC_URL": text}).Server
		require.Equal(t, want, [3]string{s.PublicURL, s.PublicOrigin(), s.PathPrefix()}, text)
	}
	for _, bad := range []string{
		"e.example.com", "/errand", "ftp://e.example.com", "https://", "https://e.example.com?x=1", "https://u@e.example.com",
		"https://e.example.com/a#b", "https://e.example.com/a//b", "https://e.example.com/a/../b", "https://e.example.com/.x",
		"https://e.example.com/a%2fb", "https://e.example.com/ä", "https://e.example.com/a b", "https://e.example.com/{$}",
		"https://e.example.com/graphql", "https://e.example.com/playground/", "https://e.example.com/mcp",
	} {
		require.Contains(t, loadErrors(t, vars{"PUBLIC_URL": bad}, ""), "PUBLIC_URL", bad)
	}
}

func TestLoad_Replicas_Validated(t *testing.T) {
	c := load(t, vars{"REPLICA_NAME": "web-1.eu", "NATS_URL": "nats://a:4222, tls://u:p@b:4222"})
	require.Equal(t, "web-1.eu", c.Replicas.ReplicaName)
	require.Equal(t, "nats://a:4222, tls://u:p@b:4222", c.Replicas.NATSURL.Reveal())
	require.Contains(t, loadErrors(t, vars{"NATS_URL": "nats://a:4222,b"}, ""), "NATS_URL")
}
