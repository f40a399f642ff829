package harness

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

// Process is the program as a process of its own.
type Process struct {
	t       *testing.T
	Command *exec.Cmd
	// url is where it serves.
	URL  string
	done chan struct{} // closes when the process has ended
	err  error         // how it ended

	mu       sync.Mutex
	lines    []map[string]any // its log
	newLines chan struct{}
}

// Command prepares the program with settings alone as its environment, in a folder of its own.
func Command(t *testing.T, environ Settings, args ...string) *exec.Cmd {
	t.Helper()
	executable, err := BuildBinary()
	require.NoError(t, err)
	command := exec.Command(executable, args...)
	command.Dir = t.TempDir()
	command.Env = []string{}
	for name, value := range environ {
		command.Env = append(command.Env, name+"="+value)
	}
	return command
}

// RunCommand runs the program to its end and gives what it printed.
func RunCommand(t *testing.T, environ Settings, args ...string) string {
	t.Helper()
	command := Command(t, environ, args...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	require.NoError(t, err, "%s", &stderr)
	return string(out)
}

// StartProcess serves on a database as a process and waits until it does.
func StartProcess(t *testing.T, database string, more ...Settings) *Process {
	t.Helper()
	environ := TestConfig(database)
	for _, m := range more {
		maps.Copy(environ, m)
	}
	c := &Process{t: t, Command: Command(t, environ, "serve"), done: make(chan struct{}), newLines: make(chan struct{}, 1)}
	stderr, err := c.Command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Command.Start())
	go c.readLog(stderr)
	t.Cleanup(c.cleanup)
	c.URL, _ = c.WaitForLog("serving")["url"].(string)
	require.NotEmpty(t, c.URL)
	return c
}

func (c *Process) readLog(stderr io.Reader) {
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
		case c.newLines <- struct{}{}:
		default: // told already
		}
	}
	c.err = c.Command.Wait()
}

// WaitForLog waits for a log line and gives it. Each line is given once, in order.
func (c *Process) WaitForLog(message string) map[string]any {
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
		case <-c.newLines:
		case <-c.done:
			require.Fail(c.t, "the program ended", "waiting for %q: %v", message, c.err)
		case <-deadline:
			require.Fail(c.t, "the program did not log", "%q", message)
		}
	}
}

// Kill ends the process without warning, as kill -9 does, and waits for its end.
func (c *Process) Kill() {
	_ = c.Command.Process.Kill() // it may have ended by itself
	<-c.done
}

// cleanup kills the process and shows the rest of its log when the test has failed.
func (c *Process) cleanup() {
	c.Kill()
	if c.t.Failed() {
		for _, line := range c.lines {
			c.t.Log(line)
		}
	}
}

// Terminate asks the process to end, as an orchestrator does.
func (c *Process) Terminate() {
	c.t.Helper()
	require.NoError(c.t, c.Command.Process.Signal(syscall.SIGTERM))
}

// Wait waits for the end of the process and gives its exit code.
func (c *Process) Wait() int {
	c.t.Helper()
	select {
	case <-c.done:
	case <-time.After(testclient.Timeout):
		require.Fail(c.t, "the program did not end")
	}
	return c.Command.ProcessState.ExitCode()
}

// Client signs a person in.
func (c *Process) Client(name string) *testclient.Client {
	c.t.Helper()
	return testclient.New(c.t, c.URL, Token(c.t, name))
}
