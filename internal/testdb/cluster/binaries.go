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

// places are where distributions keep the server's programs, besides PATH.
var places = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
}

// debianClusters says whether installing the package also starts a server.
var debianClusters = "/etc/postgresql-common/createcluster.conf"

// binaries finds the folder of initdb and pg_ctl, and installs them on Debian when there is none.
func binaries(ctx context.Context) (string, error) {
	if dir, ok := findBinaries(filepath.SplitList(os.Getenv("PATH")), places); ok {
		return dir, nil
	}
	if err := install(ctx); err != nil {
		return "", fmt.Errorf("PostgreSQL's initdb and pg_ctl are neither in PATH nor in %s, and installing them failed: %w",
			strings.Join(places, ", "), err)
	}
	if dir, ok := findBinaries(nil, places); ok {
		return dir, nil
	}
	return "", errors.New("PostgreSQL was installed, but its initdb and pg_ctl are nowhere to be found")
}

// findBinaries prefers PATH, then the newest version.
func findBinaries(path, patterns []string) (string, bool) {
	candidates := slices.Clone(path)
	for _, pattern := range patterns {
		found, _ := filepath.Glob(pattern) // The patterns are well formed.
		slices.Reverse(found)
		candidates = append(candidates, found...)
	}
	for _, dir := range candidates {
		if !isProgram(filepath.Join(dir, "initdb")) || !isProgram(filepath.Join(dir, "pg_ctl")) {
			continue
		}
		return dir, true
	}
	return "", false
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// install needs root and apt-get.
func install(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("only root can install packages: run \"apt-get install postgresql\" or put the programs in PATH")
	}
	if err := keepDebianFromStarting(); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"update", "-q"},
		{"install", "-q", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", "postgresql"},
	} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", args[0], err, tail(out))
		}
	}
	return nil
}

// keepDebianFromStarting a server of its own when the package is installed.
func keepDebianFromStarting() error {
	if _, err := os.Stat(debianClusters); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(debianClusters), 0o755); err != nil {
		return err
	}
	return os.WriteFile(debianClusters, []byte("create_main_cluster = false\n"), 0o644)
}

// tail is the end of a program's output, where the reason is.
func tail(out []byte) string {
	const limit = 2000
	text := strings.TrimSpace(string(out))
	return text[max(0, len(text)-limit):]
}
