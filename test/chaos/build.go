package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"errand/test/harness"
)

// build builds the errand binary in dir, as the mutant if the options name one.
func build(ctx context.Context, o options, dir string) (binary string, err error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "errand")
	args := []string{"build", "-o", binary}
	if o.Race {
		args = append(args, harness.RaceFlags...)
	}
	if o.Mutant != nil {
		flags, err := o.Mutant.flags(root, dir)
		if err != nil {
			return "", err
		}
		args = append(args, flags...)
	}
	command := exec.CommandContext(ctx, "go", append(args, "./cmd/errand")...)
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building errand: %w\n%s", err, out)
	}
	return binary, nil
}

// moduleRoot returns the directory of go.mod.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("locating the module: %w", err)
	}
	file := strings.TrimSpace(string(out))
	if file == "" || file == os.DevNull {
		return "", fmt.Errorf("the working directory is outside of the module")
	}
	return filepath.Dir(file), nil
}
