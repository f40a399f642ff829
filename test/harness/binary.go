package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// binaryDir is the directory of the executable that BuildBinary builds. RunTests sets and removes it.
var binaryDir string

// RunTests runs the tests of a package and returns the exit code for TestMain. It creates a temporary directory for
// [BuildBinary], removes it at the end, and fails the run when goroutines leak.
func RunTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "errand-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binaryDir = dir
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// BuildBinary builds the errand executable once for the test package and returns its path. It enables the race
// detector when the tests run with it. It requires [RunTests].
var BuildBinary = sync.OnceValues(func() (string, error) {
	if RaceEnabled {
		return build("errand", RaceFlags...)
	}
	return build("errand")
})

// RaceFlags are the flags for a build with the race detector, as "make test" has them. SQLite's own code, which is
// translated from C, is not instrumented: tests on SQLite then take less than half the time. No package with generic
// functions may be left out, because the linker keeps one copy of each for all packages.
var RaceFlags = []string{"-race", "-gcflags=modernc.org/sqlite/lib=-race=false"}

// buildPlainBinary builds the executable without the race detector, which makes long computations several times
// slower. It is built as by "make build" and for releases, so that all share the compiled packages.
var buildPlainBinary = sync.OnceValues(func() (string, error) { return build("errand-plain", "-trimpath") })

func build(name string, flags ...string) (string, error) {
	path := filepath.Join(binaryDir, name)
	command := exec.Command("go", slices.Concat([]string{"build", "-o", path}, flags, []string{"errand/cmd/errand"})...)
	if !slices.Contains(flags, "-race") { // which needs cgo
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
	}
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
}
