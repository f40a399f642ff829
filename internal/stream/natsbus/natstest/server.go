// Package natstest runs temporary NATS servers for tests.
package natstest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startTimeout bounds the start of a server.
const startTimeout = 20 * time.Second

// Server is a NATS server on a loopback port. Restarts keep the port.
type Server struct {
	binary, port string
	args         []string
	cmd          *exec.Cmd
	exited       chan struct{}
}

// Start runs a server until the end of the test. args are passed to nats-server.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	s, err := Launch(t.Context(), t.TempDir(), args...)
	require.NoError(t, err)
	t.Cleanup(s.Kill)
	return s
}

// Launch is Start for programs that are not tests: the caller must call Kill. dir is an empty directory for the server.
func Launch(ctx context.Context, dir string, args ...string) (*Server, error) {
	binary, err := findBinary(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{binary: binary, port: "-1", args: args}
	return s, s.launch(dir)
}

// URL returns the address for clients.
func (s *Server) URL() string { return "nats://127.0.0.1:" + s.port }

// Kill kills the server, which cannot close its connections.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it may have ended already
	<-s.exited
}

// Restart starts a killed server again.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	require.NoError(t, s.launch(t.TempDir()))
}

func (s *Server) launch(dir string) error {
	s.cmd = exec.Command(
		s.binary,
		append(
			[]string{"-a", "127.0.0.1", "-p", s.port, "--ports_file_dir", dir, "-l", filepath.Join(dir, "log")},
			s.args...)...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.exited = make(chan struct{})
	started := make(chan error)
	go s.run(started)
	if err := <-started; err != nil {
		return err
	}
	for deadline := time.Now().Add(startTimeout); !s.isReady(dir); {
		if time.Now().After(deadline) {
			s.Kill()
			return errors.New("nats-server does not start")
		}
		<-time.After(10 * time.Millisecond)
	}
	return nil
}

// run starts the server on a thread that lives as long as the server: the kernel kills the server when that thread, and
// so this process, ends.
func (s *Server) run(started chan<- error) {
	defer close(s.exited)
	runtime.LockOSThread()
	err := s.cmd.Start()
	started <- err
	if err == nil {
		_ = s.cmd.Wait() // it is always killed
	}
}

// isReady reads the port that the server chose and connects to it.
func (s *Server) isReady(dir string) bool {
	files, _ := filepath.Glob(filepath.Join(dir, "*.ports"))
	if len(files) != 1 {
		return false
	}
	raw, err := os.ReadFile(files[0])
	var ports struct{ Nats []string }
	if err != nil || json.Unmarshal(raw, &ports) != nil || len(ports.Nats) == 0 {
		return false
	}
	address, err := url.Parse(ports.Nats[0])
	if err != nil {
		return false
	}
	s.port = address.Port()
	conn, err := net.Dial("tcp", address.Host)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// findBinary returns the path of nats-server, which it installs on Debian if necessary.
func findBinary(ctx context.Context) (string, error) {
	const debian = "/usr/sbin/nats-server"
	for _, name := range []string{"nats-server", debian} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	if os.Geteuid() != 0 {
		return "", errors.New("nats-server is not in PATH, and only root can install it: run \"apt-get install nats-server\"")
	}
	for _, args := range []string{"update -q", "install -q -y --no-install-recommends nats-server"} {
		cmd := exec.CommandContext(
			ctx,
			"apt-get",
			append([]string{"-o", "DPkg::Lock::Timeout=300"}, strings.Fields(args)...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("nats-server is not in PATH, and installing it failed: apt-get %s: %w: %s", args, err, out)
		}
	}
	return exec.LookPath(debian)
}
