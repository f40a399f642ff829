package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// build makes the replicas' program, without a fence if there is a mutant.
func build(ctx context.Context, o options, dir string) (binary string, err error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "errand")
	args := []string{"build", "-o", binary}
	if o.Race {
		args = append(args, "-race")
	}
	if o.Mutant != nil {
		more, err := o.Mutant.flags(root, dir)
		if err != nil {
			return "", err
		}
		args = append(args, more...)
	}
	command := exec.CommandContext(ctx, "go", append(args, "./cmd/errand")...)
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the replicas: %w\n%s", err, out)
	}
	return binary, nil
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("looking for the module: %w", err)
	}
	file := strings.TrimSpace(string(out))
	if file == "" || file == os.DevNull {
		return "", fmt.Errorf("run this inside the module")
	}
	return filepath.Dir(file), nil
}
