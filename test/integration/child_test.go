package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// child is the program as a process of its own.
type child struct {
	t       *testing.T
	command *exec.Cmd
	// url is where it serves.
	url  string
	done chan struct{} // closes when the process has ended
	err  error         // how it ended

	mu    sync.Mutex
	lines []map[string]any // its log
	news  chan struct{}
}

// errand prepares the program with settings alone as its environment, in a folder of its own.
func errand(t *testing.T, environ settings, args ...string) *exec.Cmd {
	t.Helper()
	executable, err := binary()
	require.NoError(t, err)
	command := exec.Command(executable, args...)
	command.Dir = t.TempDir()
	command.Env = []string{}
	for name, value := range environ {
		command.Env = append(command.Env, name+"="+value)
	}
	return command
}

// output runs the program to its end and gives what it printed.
func output(t *testing.T, environ settings, args ...string) string {
	t.Helper()
	command := errand(t, environ, args...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	require.NoError(t, err, "%s", &stderr)
	return string(out)
}

// launch serves on a database as a process and waits until it does.
func launch(t *testing.T, database string, more ...settings) *child {
	t.Helper()
	environ := quick(database)
	for _, m := range more {
		maps.Copy(environ, m)
	}
	c := &child{t: t, command: errand(t, environ, "serve"), done: make(chan struct{}), news: make(chan struct{}, 1)}
	stderr, err := c.command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.command.Start())
	go c.read(stderr)
	t.Cleanup(c.bury)
	c.url, _ = c.logged("serving")["url"].(string)
	require.NotEmpty(t, c.url)
	return c
}

func (c *child) read(stderr io.Reader) {
	defer close(c.done)
	scanner := bufio.NewScanner(stderr)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		line := map[string]any{}
		if json.Unmarshal(scanner.Bytes(), &line) != nil {
			line["msg"] = scanner.Text()
		}
		c.mu.Lock()
		c.lines = append(c.lines, line)
		c.mu.Unlock()
		select {
		case c.news <- struct{}{}:
		default: // told already
		}
	}
	c.err = c.command.Wait()
}

// logged waits for a log line and gives it. Each line is given once, in order.
func (c *child) logged(message string) map[string]any {
	c.t.Helper()
	deadline := time.After(testclient.Timeout)
	for {
		c.mu.Lock()
		for len(c.lines) > 0 {
			line := c.lines[0]
			c.lines = c.lines[1:]
			if line["msg"] == message {
				c.mu.Unlock()
				return line
			}
			c.t.Log(line)
		}
		c.mu.Unlock()
		select {
		case <-c.news:
		case <-c.done:
			require.Fail(c.t, "the program ended", "waiting for %q: %v", message, c.err)
		case <-deadline:
			require.Fail(c.t, "the program did not log", "%q", message)
		}
	}
}

// kill ends the process without warning, as kill -9 does, and waits for its end.
func (c *child) kill() {
	_ = c.command.Process.Kill() // it may have ended by itself
	<-c.done
}

// bury kills the process and shows the rest of its log when the test has failed.
func (c *child) bury() {
	c.kill()
	if c.t.Failed() {
		for _, line := range c.lines {
			c.t.Log(line)
		}
	}
}

// terminate asks the process to end, as an orchestrator does.
func (c *child) terminate() {
	c.t.Helper()
	require.NoError(c.t, c.command.Process.Signal(syscall.SIGTERM))
}

// ended waits for the end of the process and gives its exit code.
func (c *child) ended() int {
	c.t.Helper()
	select {
	case <-c.done:
	case <-time.After(testclient.Timeout):
		require.Fail(c.t, "the program did not end")
	}
	return c.command.ProcessState.ExitCode()
}

// user signs a person in.
func (c *child) user(name string) *client {
	c.t.Helper()
	return testclient.New(c.t, c.url, token(c.t, name))
}
