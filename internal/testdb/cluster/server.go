package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
)

// superuser is the database role that owns all objects of a cluster. It has no password.
const superuser = "errand"

// settings give up durability across an operating system crash for speed. Commits still survive the end of any process,
// which the crash tests rely on.
const settings = `
listen_addresses = ''
unix_socket_permissions = 0777
max_connections = 300
shared_buffers = 64MB
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 256MB
autovacuum = off
log_min_messages = warning
timezone = 'UTC'
`

// replicationSettings override settings on a server that standbys follow.
const replicationSettings = `
wal_level = replica
max_wal_senders = 10
hot_standby = on
`

// origin is where the data of a new server come from: a new, empty cluster, or a copy.
type origin struct {
	replicating bool    // standbys can follow the server
	primary     *server // the server to copy and to follow; nil for a new cluster
}

// server is a PostgreSQL server in a directory of its own, reachable by its socket.
type server struct {
	origin
	bin     string // directory of PostgreSQL's programs
	dir     string // contains the data, the socket and the log
	account account
}

func (s server) data() string { return filepath.Join(s.dir, "data") }
func (s server) log() string  { return filepath.Join(s.dir, "data", "server.log") }

// url returns the connection string of a database.
func (s server) url(database string) string { return serverURL(database, s.dir) }

// serverURL returns the connection string of a database on servers whose sockets are in dirs, separated by commas.
func serverURL(database, dirs string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database}
	q := url.Values{"host": {dirs}, "sslmode": {"disable"}}
	u.RawQuery = q.Encode()
	return u.String()
}

// create initializes the data directory. The account must own dir to create the socket in it.
func (s server) create(ctx context.Context) error {
	if err := s.account.chown(s.dir); err != nil {
		return err
	}
	text := settings
	if s.primary == nil {
		err := s.run(ctx, "initdb", "-D", s.data(), "-U", superuser, "-A", "trust", "-E", "UTF8",
			"--locale=C.UTF-8", "--no-sync")
		if err != nil {
			return err
		}
	} else {
		err := s.run(ctx, "pg_basebackup", "-D", s.data(), "-h", s.primary.dir, "-U", superuser,
			"--write-recovery-conf", "--checkpoint=fast", "--no-sync")
		if err != nil {
			return err
		}
	}
	if s.primary != nil || s.replicating {
		text += replicationSettings
	}
	f, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%sunix_socket_directories = '%s'\n", text, s.dir)
	if errClose := f.Close(); err == nil {
		err = errClose
	}
	return err
}

// start starts the server and waits until it accepts connections.
func (s server) start(ctx context.Context) error {
	err := s.run(ctx, "pg_ctl", "-D", s.data(), "-l", s.log(), "-w", "-t", "60", "start")
	if err != nil {
		log, _ := os.ReadFile(s.log())
		return fmt.Errorf("%w\n%s", err, truncateStart(log))
	}
	return nil
}

// stop stops the server. The mode "fast" rolls transactions back and disconnects clients; "immediate" simulates a
// crash.
func (s server) stop(ctx context.Context, mode string) error {
	return s.run(ctx, "pg_ctl", "-D", s.data(), "-m", mode, "-w", "-t", "60", "stop")
}

// run runs one of PostgreSQL's programs. Its error contains the program's output. The output goes to a file, because
// the server would inherit a pipe and keep cmd.Run waiting until the server ends.
func (s server) run(ctx context.Context, program string, args ...string) error {
	out, err := os.CreateTemp("", "errand-"+program+"-*")
	if err != nil {
		return err
	}
	defer func() { _ = errors.Join(out.Close(), os.Remove(out.Name())) }()
	cmd := exec.CommandContext(ctx, s.path(program), args...)
	cmd.Dir = s.dir
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = s.account.sysProcAttr()
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w: %s", program, err, truncateStart(text))
	}
	return nil
}

// path returns the path of one of PostgreSQL's programs. The directory may hold links to some of the programs only, and
// then the others are where the links lead.
func (s server) path(program string) string {
	path := filepath.Join(s.bin, program)
	if isExecutable(path) {
		return path
	}
	target, err := filepath.EvalSymlinks(filepath.Join(s.bin, "pg_ctl"))
	if err != nil {
		return path
	}
	return filepath.Join(filepath.Dir(target), program)
}

// isRunning reports whether the server is running.
func (s server) isRunning(ctx context.Context) bool {
	return s.run(ctx, "pg_ctl", "-D", s.data(), "status") == nil
}
