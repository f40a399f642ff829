package server_test

import (
	"testing"

	"errand/internal/server"

	"github.com/stretchr/testify/require"
)

func TestPageURL_Addresses_AreThoseOfBrowsers(t *testing.T) {
	for addr, want := range map[string]string{
		":8080":          "http://localhost:8080",
		"[::]:8080":      "http://localhost:8080",
		"0.0.0.0:8080":   "http://localhost:8080",
		"127.0.0.1:8080": "http://127.0.0.1:8080",
		"[::1]:8080":     "http://[::1]:8080",
		"errand.lan:80":  "http://errand.lan:80",
	} {
		require.Equal(t, want, server.PageURL(addr), addr)
	}
}
