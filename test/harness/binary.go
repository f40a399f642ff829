package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	path := filepath.Join(binaryDir, "errand")
	args := []string{"build", "-o", path}
	if RaceEnabled {
		args = append(args, "-race")
	}
	command := exec.Command("go", append(args, "errand/cmd/errand")...)
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})
