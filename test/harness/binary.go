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

// binaryDir holds the program that tests start as a process of its own.
var binaryDir string

// RunTests runs a package's tests with a folder for the program's executable and reports leaked goroutines. It returns the
// exit code for TestMain.
func RunTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "errand-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
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

// BuildBinary builds the program once, with the race detector when the tests have it.
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
