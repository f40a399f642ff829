package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// replica is one server process after the other at one address. It is restarted when it ends.
type replica struct {
	name    string
	addr    string // host:port
	binary  string
	environ []string
	link    *link // to PostgreSQL
	log     *os.File

	mu      sync.Mutex
	process *exec.Cmd
	// delay is how long the next restart waits.
	delay time.Duration
	// crashes counts ends that nobody asked for.
	crashes int
	// lastCode is the exit code of the last process that ended.
	lastCode int
	asked    bool // to end
	closing  bool
	gone     chan struct{} // closes when the current process has ended
	ended    sync.WaitGroup
}

func newReplica(name, dir, binary string, database *url.URL, environ []string) (*replica, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	home := filepath.Join(dir, name)
	link, err := newLink(home, database.Query().Get("host"))
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	own := *database
	own.RawQuery = url.Values{"host": {home}, "sslmode": {"disable"}}.Encode()
	return &replica{
		name: name, addr: addr, binary: binary, log: log, link: link,
		environ: append([]string{"ADDR=" + addr, "REPLICA_NAME=" + name, "DATABASE_URL=" + own.String()}, environ...),
	}, nil
}

// freeAddress finds a port, which a replica keeps over its restarts.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// start starts the process and whatever follows it.
func (r *replica) start() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing {
		return nil
	}
	command := exec.Command(r.binary, "serve", "--migrate")
	command.Env, command.Stdout, command.Stderr = r.environ, r.log, r.log
	command.Dir = filepath.Dir(r.binary)
	// Should this program die, the replicas must not stay behind.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return fmt.Errorf("starting replica %s: %w", r.name, err)
	}
	r.process, r.asked, r.gone = command, false, make(chan struct{})
	r.ended.Go(func() { r.follow(command, r.gone) })
	return nil
}

// follow waits for the end of a process and starts the next one.
func (r *replica) follow(command *exec.Cmd, gone chan struct{}) {
	_ = command.Wait() // how it ended is in its log
	r.mu.Lock()
	r.lastCode = command.ProcessState.ExitCode()
	if !r.asked && !r.closing {
		r.crashes++
	}
	delay := r.delay
	r.delay = 0
	r.mu.Unlock()
	close(gone)
	<-time.After(delay + 50*time.Millisecond)
	if err := r.start(); err != nil {
		fmt.Fprintln(r.log, err)
	}
}

// signal sends one to the running process. An asked end is no crash; the next process
// starts after the delay.
func (r *replica) signal(s syscall.Signal, delay time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s == syscall.SIGKILL || s == syscall.SIGTERM {
		r.asked, r.delay = true, delay
	}
	err := r.process.Process.Signal(s)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// exitCode is how the last process that has ended did.
func (r *replica) exitCode() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lastCode
}

// end is closed when the process that runs now has ended.
func (r *replica) end() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gone
}

// close ends the replica for good.
func (r *replica) close() error {
	r.mu.Lock()
	r.closing = true
	r.mu.Unlock()
	err := r.signal(syscall.SIGKILL, 0)
	r.ended.Wait()
	return errors.Join(err, r.link.close(), r.log.Close())
}
