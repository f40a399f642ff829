package server

import (
	"bytes"
	"log/slog"
	"testing"

	"errand/internal/config"

	"github.com/stretchr/testify/require"
)

func TestWarnExposure_AccountsBeyondLoopback_NamePublicURL(t *testing.T) {
	for _, test := range []struct {
		signIn          config.SignIn
		addr, publicURL string
		warns           bool
	}{
		{config.SignInLocal, ":8080", "", true},
		{config.SignInLocal, "192.168.1.2:8080", "", true},
		{config.SignInLocal, ":8080", "https://tasks.example", false},
		{config.SignInLocal, "127.0.0.1:8080", "", false},
		{"", ":8080", "", true},
	} {
		var log bytes.Buffer
		s := &Server{Log: slog.New(slog.NewTextHandler(&log, nil))}
		s.Config.Auth.SignIn, s.Config.Server.Addr, s.Config.Server.PublicURL = test.signIn, test.addr, test.publicURL
		s.warnExposure(t.Context())
		require.Equal(t, test.warns, bytes.Contains(log.Bytes(), []byte("PUBLIC_URL is not set")), "%+v: %s", test, &log)
	}
	var log bytes.Buffer
	s := &Server{Log: slog.New(slog.NewTextHandler(&log, nil))}
	s.Config.Auth.OIDCIssuer, s.Config.Server.Addr = "https://id.example", ":8080"
	s.warnExposure(t.Context())
	require.NotContains(t, log.String(), "PUBLIC_URL", "there are no built-in accounts")
}
