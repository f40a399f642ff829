package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"time"
)

// measureBuild measures a build with an empty build cache, and the size of the binary. The modules are downloaded
// already.
func measureBuild(ctx context.Context, b *bench, out io.Writer) error {
	path := filepath.Join(b.dir, "cold")
	cache := filepath.Join(b.dir, "cache")
	start := time.Now()
	if err := buildErrand(ctx, path, "GOCACHE="+cache); err != nil {
		return err
	}
	elapsed := time.Since(start)
	binary, err := os.Stat(path)
	if err != nil {
		return err
	}
	t := newTable("Build with an empty cache, as make build does", "seconds", "binary MB")
	t.add(elapsed.Seconds(), float64(binary.Size())/1e6)
	return t.write(out)
}
