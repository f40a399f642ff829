package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"errand/internal/config"
	"errand/internal/server"
)

// Start the whole program on a free port, with a SQLite database in a temporary folder.
func ExampleStart() {
	if err := startAndCheckHealth(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 200 OK
}

func startAndCheckHealth() error {
	dir, err := os.MkdirTemp("", "errand-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cfg, err := config.Load(map[string]string{
		"ADDR":         "127.0.0.1:0",
		"ADMIN_ADDR":   "off",
		"DATABASE_URL": "sqlite:" + filepath.Join(dir, "errand.db"),
	}, filepath.Join(dir, ".env"))
	if err != nil {
		return err
	}
	ctx := context.Background()
	s, err := server.Start(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	response, err := http.Get(s.URL() + "/health")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	fmt.Println(response.Status)
	return s.Stop(ctx)
}
