package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"errand/internal/testdb/cluster"

	"github.com/golang-jwt/jwt/v5"
)

// bench holds the servers, which share one database.
type bench struct {
	settings
	cluster  *cluster.Cluster
	dir      string
	url      string // connection string of the database
	servers  []*exec.Cmd
	errandA  string // address of replica A, host:port
	errandB  string
	baseline string
	tokens   []string
}

const tokenSecret = "a tokenSecret of the benchmark that is long enough"

func newBench(ctx context.Context, s settings) (b *bench, err error) {
	b = &bench{settings: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.dir, err = os.MkdirTemp("", "errand-bench"); err != nil {
		return b, err
	}
	if b.errand == "" {
		b.errand = filepath.Join(b.dir, "errand")
		build := exec.CommandContext(ctx, "go", "build", "-o", b.errand, "./cmd/errand")
		if out, err := build.CombinedOutput(); err != nil {
			return b, fmt.Errorf("building errand: %w: %s", err, out)
		}
	}
	if b.cluster, b.url, err = openDatabase(ctx); err != nil {
		return b, err
	}
	if err := seed(ctx, b.url); err != nil {
		return b, err
	}
	for i := 1; i <= users; i++ {
		token, err := sign(fmt.Sprintf("person%d", i))
		if err != nil {
			return b, err
		}
		b.tokens = append(b.tokens, token)
	}
	return b, b.startServers(ctx)
}

func (b *bench) startServers(ctx context.Context) (err error) {
	keyFile := filepath.Join(b.dir, "key")
	if err := os.WriteFile(keyFile, []byte(tokenSecret), 0o600); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	hand := exec.CommandContext(ctx, self, "handwritten", b.url, keyFile)
	if b.baseline, err = b.start(hand, func(line string) string { return line }); err != nil {
		return err
	}
	model, err := startModel()
	if err != nil {
		return err
	}
	for _, address := range []*string{&b.errandA, &b.errandB} {
		if *address, err = b.startErrand(ctx, model); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) startErrand(ctx context.Context, model string) (string, error) {
	cmd := exec.CommandContext(ctx, b.errand, "serve")
	cmd.Dir = b.dir
	cmd.Env = append(
		os.Environ(),
		"DATABASE_URL="+b.url,
		"ADDR=127.0.0.1:0",
		"ADMIN_ADDR=off",
		"LOG_LEVEL=info",
		"BETTER_AUTH_SECRET="+tokenSecret,
		"AUTH_ISSUER=bench",
		"AUTH_AUDIENCE=bench",
		"MESSAGES_PER_MINUTE=100000",
		"MUTATIONS_PER_MINUTE=0",
		"MAX_TASKS_PER_USER=0",
		"MAX_BYTES_PER_USER=0",
		"MAX_REPLIES_PER_USER=1000",
		"MAX_SOCKETS_PER_USER=1000",
		"MAX_SUBSCRIPTIONS_PER_USER=1000",
		"LLM_PROVIDER=openai",
		"OPENAI_BASE_URL="+model,
		"LLM_MODEL=scripted",
	)
	return b.start(cmd, func(line string) string {
		var entry struct{ Msg, URL string }
		if json.Unmarshal([]byte(line), &entry) != nil || entry.Msg != "serving" {
			return ""
		}
		return entry.URL[len("http://"):]
	})
}

// start starts a server and reads its address from its output.
func (b *bench) start(cmd *exec.Cmd, address func(line string) string) (string, error) {
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return "", err
	}
	b.servers = append(b.servers, cmd)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if a := address(lines.Text()); a != "" {
			go func() { _, _ = io.Copy(io.Discard, r) }()
			return a, nil
		}
	}
	return "", fmt.Errorf("%s exited without printing its address", filepath.Base(cmd.Path))
}

func (b *bench) close() error {
	for _, cmd := range b.servers {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	var err error
	if b.cluster != nil {
		err = b.cluster.Close()
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

func sign(subject string) (string, error) {
	now := time.Now()
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Subject: subject, Issuer: "bench", Audience: jwt.ClaimStrings{"bench"},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(24 * time.Hour)),
	}).SignedString([]byte(tokenSecret))
}
