package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// searchPatterns match the directories in which distributions install the server programs outside of PATH.
var searchPatterns = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
}

// createClusterConfig is Debian's configuration of whether installing the package also creates and starts a server.
var createClusterConfig = "/etc/postgresql-common/createcluster.conf"

// findOrInstallBinaries returns the directory of initdb and pg_ctl. If they are missing, it installs PostgreSQL with
// apt-get.
func findOrInstallBinaries(ctx context.Context) (string, error) {
	if dir, ok := findBinaries(filepath.SplitList(os.Getenv("PATH")), searchPatterns); ok {
		return dir, nil
	}
	if err := installPostgres(ctx); err != nil {
		return "", fmt.Errorf("PostgreSQL's initdb and pg_ctl are neither in PATH nor in %s, and installing them failed: %w",
			strings.Join(searchPatterns, ", "), err)
	}
	if dir, ok := findBinaries(nil, searchPatterns); ok {
		return dir, nil
	}
	return "", errors.New("PostgreSQL was installed, but initdb and pg_ctl were not found")
}

// findBinaries returns the first directory with initdb and pg_ctl. It searches path first, then the patterns' matches
// from the newest version to the oldest.
func findBinaries(path, patterns []string) (string, bool) {
	candidates := slices.Clone(path)
	for _, pattern := range patterns {
		found, _ := filepath.Glob(pattern) // the patterns are valid
		slices.Reverse(found)
		candidates = append(candidates, found...)
	}
	for _, dir := range candidates {
		if isExecutable(filepath.Join(dir, "initdb")) && isExecutable(filepath.Join(dir, "pg_ctl")) {
			return dir, true
		}
	}
	return "", false
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// installPostgres installs PostgreSQL. It needs root and apt-get.
func installPostgres(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("only root can install packages: run \"apt-get install postgresql\" or put the programs in PATH")
	}
	if err := disableDefaultCluster(); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"update", "-q"},
		{"install", "-q", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", "postgresql"},
	} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", args[0], err, truncateStart(out))
		}
	}
	return nil
}

// disableDefaultCluster prevents Debian's package from starting a server when it is installed.
func disableDefaultCluster() error {
	if _, err := os.Stat(createClusterConfig); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(createClusterConfig), 0o755); err != nil {
		return err
	}
	return os.WriteFile(createClusterConfig, []byte("create_main_cluster = false\n"), 0o644)
}

// truncateStart returns the last 2000 bytes of a program's output, which contain the error.
func truncateStart(out []byte) string {
	const limit = 2000
	text := strings.TrimSpace(string(out))
	return text[max(0, len(text)-limit):]
}
