package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// replica is a server at a fixed address. Its process is restarted whenever it exits.
type replica struct {
	name    string
	addr    string // host:port
	binary  string
	environ []string
	proxies []*proxy // carry the connections to PostgreSQL, one for each server
	log     *os.File

	mu      sync.Mutex
	process *exec.Cmd
	// delay is the additional time before the next restart.
	delay time.Duration
	// unexpectedExits counts the exits that no signal of this program caused.
	unexpectedExits int
	// lastExitCode is the exit code of the last process that exited.
	lastExitCode  int
	stopRequested bool // the current process was sent SIGKILL or SIGTERM
	closing       bool
	exited        chan struct{} // closed when the current process has exited
	group         sync.WaitGroup
}

// newReplica returns a replica on PostgreSQL servers, whose sockets are in the directories, in the order of preference.
func newReplica(name, dir, binary string, servers []string, environ []string) (*replica, error) {
	var proxies []*proxy
	var homes []string
	for i, server := range servers {
		home := filepath.Join(dir, fmt.Sprint(name, i))
		proxy, err := newProxy(home, server)
		if err != nil {
			return nil, err
		}
		proxies, homes = append(proxies, proxy), append(homes, home)
	}
	database := url.URL{Scheme: "postgres", User: url.User("errand"), Path: "/chaos"}
	database.RawQuery = url.Values{"host": {strings.Join(homes, ",")}, "sslmode": {"disable"}}.Encode()
	r, err := newReplicaOn(name, dir, binary, database.String(), environ)
	if err != nil {
		return nil, err
	}
	r.proxies = proxies
	return r, nil
}

// newReplicaOn returns a replica on the database of a URL.
func newReplicaOn(name, dir, binary, database string, environ []string) (*replica, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	return &replica{
		name:    name,
		addr:    addr,
		binary:  binary,
		log:     log,
		environ: append([]string{"ADDR=" + addr, "REPLICA_NAME=" + name, "DATABASE_URL=" + database}, environ...),
	}, nil
}

// stall stalls a subset of the open connections to PostgreSQL for d.
func (r *replica) stall(mask uint64, d time.Duration) {
	for _, p := range r.proxies {
		p.stall(mask, d)
	}
}

// freeAddress returns an address with a free port, which a replica keeps over its restarts.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// start starts the process and its supervision. It does nothing after close.
func (r *replica) start() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing {
		return nil
	}
	command := exec.Command(r.binary, "serve", "--migrate")
	command.Env, command.Stdout, command.Stderr = r.environ, r.log, r.log
	command.Dir = filepath.Dir(r.binary)
	// The kernel kills the replicas if this program dies.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return fmt.Errorf("starting replica %s: %w", r.name, err)
	}
	r.process, r.stopRequested, r.exited = command, false, make(chan struct{})
	r.group.Go(func() { r.supervise(command, r.exited) })
	return nil
}

// supervise waits until a process exits and starts the next one.
func (r *replica) supervise(command *exec.Cmd, exited chan struct{}) {
	_ = command.Wait() // the replica's log holds the reason
	r.mu.Lock()
	r.lastExitCode = command.ProcessState.ExitCode()
	if !r.stopRequested && !r.closing {
		r.unexpectedExits++
	}
	delay := r.delay
	r.delay = 0
	r.mu.Unlock()
	close(exited)
	<-time.After(delay + 50*time.Millisecond)
	if err := r.start(); err != nil {
		fmt.Fprintln(r.log, err)
	}
}

// signal sends a signal to the current process. After SIGKILL and SIGTERM the next process starts with the delay, and
// the exit is an expected one.
func (r *replica) signal(s syscall.Signal, delay time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s == syscall.SIGKILL || s == syscall.SIGTERM {
		r.stopRequested, r.delay = true, delay
	}
	err := r.process.Process.Signal(s)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// awaitHealthy waits until the replica answers its health check.
func (r *replica) awaitHealthy(ctx context.Context) error {
	defer http.DefaultClient.CloseIdleConnections()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.addr+"/health", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		if err == nil && response.StatusCode == http.StatusOK {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("replica %s did not become healthy: %w", r.name, err)
		}
		sleep(ctx, 20*time.Millisecond)
	}
}

// exitCode returns the exit code of the last process that exited.
func (r *replica) exitCode() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lastExitCode
}

// currentExit returns a channel that is closed when the current process has exited.
func (r *replica) currentExit() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.exited
}

// close kills the process without a restart and closes the proxy and the log.
func (r *replica) close() error {
	r.mu.Lock()
	r.closing = true
	r.mu.Unlock()
	err := r.signal(syscall.SIGKILL, 0)
	r.group.Wait()
	for _, p := range r.proxies {
		err = errors.Join(err, p.close())
	}
	return errors.Join(err, r.log.Close())
}
