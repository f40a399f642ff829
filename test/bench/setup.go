package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"errand/internal/store"
	"errand/internal/testdb/cluster"

	"github.com/jackc/pgx/v5"
)

// bench holds the database and the running servers.
type bench struct {
	settings
	cluster  *cluster.Cluster
	postgres int // process ID of the database server
	dir      string
	url      string // connection string of the database
	keys     *keys
	model    string // base URL of the scripted model
	servers  []*server
}

// server is a running server process.
type server struct {
	cmd *exec.Cmd
	// address is host:port of the public listener, admin the URL of the admin listener of Errand.
	address, admin string
}

func (s *server) pid() int { return s.cmd.Process.Pid }

func newBench(ctx context.Context, s settings, out io.Writer) (b *bench, err error) {
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
		if err := buildErrand(ctx, b.errand); err != nil {
			return b, err
		}
	}
	if b.keys, err = newKeys(); err != nil {
		return b, err
	}
	if b.model, err = startModel(); err != nil {
		return b, err
	}
	if err := b.startDatabase(ctx); err != nil {
		return b, err
	}
	start := time.Now()
	if err := seed(ctx, b.url, s.size); err != nil {
		return b, err
	}
	fmt.Fprintf(
		out,
		"%s\n%d users × %d tasks, %d conversations × %d messages; 1 user with %d conversations × %d messages "+
			"(stored in %.0f s)\n",
		machine(),
		s.size.users,
		s.size.tasks,
		s.size.conversations,
		s.size.messages,
		largeConversations,
		s.size.longMessages,
		time.Since(start).Seconds(),
	)
	return b, nil
}

// buildErrand builds the binary as "make build" does.
func buildErrand(ctx context.Context, path string, env ...string) error {
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "errand/cmd/errand")
	build.Env = append(os.Environ(), env...)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building errand: %w: %s", err, out)
	}
	return nil
}

// startDatabase starts a private PostgreSQL server with memory for the data and migrates its database.
func (b *bench) startDatabase(ctx context.Context) (err error) {
	if b.cluster, err = cluster.New(ctx); err != nil {
		return err
	}
	b.url = b.cluster.URL("postgres")
	conn, err := pgx.Connect(ctx, b.url)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	_, err = conn.Exec(ctx, `ALTER SYSTEM SET shared_buffers = '512MB'`)
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		return err
	}
	if err := errors.Join(b.cluster.Stop(ctx, false), b.cluster.Start(ctx)); err != nil {
		return err
	}
	if b.postgres, err = postgresPID(b.cluster); err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Options{URL: b.url, StatementCache: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.EnsureSchema(ctx, true)
}

// startBaseline starts a hand-written server.
func (b *bench) startBaseline(ctx context.Context, name string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{cmd: exec.CommandContext(ctx, self, baselineCommand, name, b.url)}
	return s, b.start(s, func(line string) bool {
		s.address = line
		return true
	})
}

// hs256 and jwks are the settings of token verification with a shared secret, and with the keys of the issuer, as the
// README recommends.
func hs256() []string           { return []string{"BETTER_AUTH_SECRET=" + tokenSecret} }
func (b *bench) jwks() []string { return []string{"AUTH_JWKS_URL=" + b.keys.jwksURL} }

// startErrand starts Errand with limits that the measurements do not reach. A limit of 0 would save work.
func (b *bench) startErrand(ctx context.Context, settings ...string) (*server, error) {
	s := &server{cmd: exec.CommandContext(ctx, b.errand, "serve")}
	s.cmd.Dir = b.dir
	s.cmd.Env = append(
		os.Environ(),
		"DATABASE_URL="+b.url,
		"ADDR=127.0.0.1:0",
		"ADMIN_ADDR=127.0.0.1:0",
		"LOG_LEVEL=info",
		"AUTH_ISSUER="+issuer,
		"AUTH_AUDIENCE="+issuer,
		"MESSAGES_PER_MINUTE=100000",
		"MUTATIONS_PER_MINUTE=100000",
		"MAX_TASKS_PER_USER=10000000",
		"MAX_BYTES_PER_USER=1099511627776",
		"MAX_REPLIES_PER_USER=1000",
		"MAX_SOCKETS_PER_USER=10000",
		"MAX_SUBSCRIPTIONS_PER_USER=10000",
		"LLM_PROVIDER=openai",
		"OPENAI_BASE_URL="+b.model,
		"LLM_MODEL=scripted",
		"LLM_TITLES=false",
	)
	s.cmd.Env = append(s.cmd.Env, settings...)
	return s, b.start(s, func(line string) bool {
		var entry struct{ Msg, URL string }
		if json.Unmarshal([]byte(line), &entry) != nil {
			return false
		}
		switch entry.Msg {
		case "serving metrics":
			s.admin = strings.TrimSuffix(entry.URL, "/metrics")
		case "serving":
			s.address = strings.TrimPrefix(entry.URL, "http://")
		}
		return entry.Msg == "serving"
	})
}

// start starts a server and reads its output until a line satisfies ready.
func (b *bench) start(s *server, ready func(line string) bool) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	s.cmd.Stdout, s.cmd.Stderr = w, w
	err = s.cmd.Start()
	w.Close()
	if err != nil {
		r.Close()
		return err
	}
	b.servers = append(b.servers, s)
	var output strings.Builder
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if ready(lines.Text()) {
			go func() {
				_, _ = io.Copy(io.Discard, r)
				r.Close()
			}()
			return nil
		}
		output.WriteString(lines.Text() + "\n")
	}
	r.Close()
	return fmt.Errorf("%s exited before it was ready: %s", filepath.Base(s.cmd.Path), output.String())
}

// stopServers ends all servers, which frees their connections and memory for the next measurement.
func (b *bench) stopServers() {
	for _, s := range b.servers {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
	b.servers = nil
}

func (b *bench) close() error {
	b.stopServers()
	var err error
	if b.cluster != nil {
		err = b.cluster.Close()
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}
