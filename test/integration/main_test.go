package integration

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

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
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

// binary builds the program once, with the race detector when the tests have it.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaryDir, "errand")
	args := []string{"build", "-o", path}
	if raceDetector {
		args = append(args, "-race")
	}
	command := exec.Command("go", append(args, "errand/cmd/errand")...)
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})
