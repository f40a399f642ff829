package main

import (
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBinary_NoCertificatesOfTheSystem_HasRoots runs itself in a process that finds no CA
// certificates, as in an empty container.
func TestBinary_NoCertificatesOfTheSystem_HasRoots(t *testing.T) {
	const child = "ERRAND_TEST_NO_CERTIFICATES"
	if os.Getenv(child) == "" {
		missing := filepath.Join(t.TempDir(), "missing")
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		command.Env = []string{child + "=1", "SSL_CERT_FILE=" + missing, "SSL_CERT_DIR=" + missing}
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "--- PASS: "+t.Name())
		return
	}
	roots, err := x509.SystemCertPool()
	require.NoError(t, err)
	require.False(t, roots.Equal(x509.NewCertPool()), "no CA certificates")
}
