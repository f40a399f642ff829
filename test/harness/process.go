package harness

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"errand/internal/config"
	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// Process is an errand server that runs as a separate process. [StartProcess] creates it.
type Process struct {
	t *testing.T
	// Command is the started command.
	Command *exec.Cmd
	// URL is the base URL of the server.
	URL string
	// Serving is the log line that the server writes when it serves.
	Serving map[string]any
	metrics string        // URL, "" without ADMIN_ADDR
	done    chan struct{} // closed when the process has exited
	err     error         // the result of Command.Wait, valid after done

	mu       sync.Mutex
	lines    []map[string]any // log lines that WaitForLog has not returned
	newLines chan struct{}
}

// Command returns a command that runs the executable with settings as its whole environment, in a new temporary
// directory.
func Command(t *testing.T, settings Settings, args ...string) *exec.Cmd {
	t.Helper()
	executable, err := BuildBinary()
	require.NoError(t, err)
	return executableCommand(t, executable, settings, args...)
}

// PlainCommand is like [Command], without the race detector: for long computations in one goroutine.
func PlainCommand(t *testing.T, settings Settings, args ...string) *exec.Cmd {
	t.Helper()
	executable, err := buildPlainBinary()
	require.NoError(t, err)
	return executableCommand(t, executable, settings, args...)
}

func executableCommand(t *testing.T, executable string, settings Settings, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.Command(executable, args...)
	command.Dir = t.TempDir()
	command.Env = []string{}
	for name, value := range settings {
		command.Env = append(command.Env, name+"="+value)
	}
	return command
}

// RunCommand runs the executable until it exits and returns its standard output. It fails the test when the exit code
// is not 0.
func RunCommand(t *testing.T, settings Settings, args ...string) string {
	t.Helper()
	command := Command(t, settings, args...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	require.NoError(t, err, "%s", &stderr)
	return string(out)
}

// StartProcess starts "errand serve" on a database, with [TestSettings] and overrides, and waits until it serves. The
// process is killed when the test ends; its remaining log is printed when the test has failed.
func StartProcess(t *testing.T, database string, overrides ...Settings) *Process {
	t.Helper()
	executable, err := BuildBinary()
	require.NoError(t, err)
	return StartExecutable(t, executable, database, overrides...)
}

// StartProcessWithDescriptors is StartProcess with a limit of open file descriptors.
func StartProcessWithDescriptors(t *testing.T, limit int, database string, overrides ...Settings) *Process {
	t.Helper()
	executable, err := BuildBinary()
	require.NoError(t, err)
	script := filepath.Join(t.TempDir(), "limited")
	text := fmt.Sprintf("#!/bin/sh\nulimit -n %d && exec '%s' \"$@\"\n", limit, executable)
	require.NoError(t, os.WriteFile(script, []byte(text), 0o700)) //nolint:gosec // it is executed
	return StartExecutable(t, script, database, overrides...)
}

// StartExecutable is StartProcess for another executable, such as that of an earlier version.
func StartExecutable(t *testing.T, executable, database string, overrides ...Settings) *Process {
	t.Helper()
	settings := TestSettings(database)
	for _, override := range overrides {
		maps.Copy(settings, override)
	}
	p := &Process{
		t:        t,
		Command:  executableCommand(t, executable, settings, "serve"),
		done:     make(chan struct{}),
		newLines: make(chan struct{}, 1),
	}
	stderr, err := p.Command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.Command.Start())
	go p.readLog(stderr)
	t.Cleanup(p.cleanup)
	if settings["ADMIN_ADDR"] != config.AdminOff {
		p.metrics, _ = p.WaitForLog("serving metrics")["url"].(string)
	}
	p.Serving = p.WaitForLog("serving")
	p.URL, _ = p.Serving["url"].(string)
	require.NotEmpty(t, p.URL)
	return p
}

func (p *Process) readLog(stderr io.Reader) {
	defer close(p.done)
	scanner := bufio.NewScanner(stderr)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		line := map[string]any{}
		if json.Unmarshal(scanner.Bytes(), &line) != nil {
			line["msg"] = scanner.Text()
		}
		p.mu.Lock()
		p.lines = append(p.lines, line)
		p.mu.Unlock()
		select {
		case p.newLines <- struct{}{}:
		default: // already signaled
		}
	}
	p.err = p.Command.Wait()
}

// WaitForLog waits for the next log line with the message and returns it. Earlier lines are consumed: they are
// printed to the test log and not returned by later calls. It fails the test when the process exits or after
// [testclient.Timeout].
func (p *Process) WaitForLog(message string) map[string]any {
	p.t.Helper()
	deadline := time.After(testclient.Timeout)
	for {
		p.mu.Lock()
		for len(p.lines) > 0 {
			line := p.lines[0]
			p.lines = p.lines[1:]
			if line["msg"] == message {
				p.mu.Unlock()
				return line
			}
			p.t.Log(line)
		}
		p.mu.Unlock()
		select {
		case <-p.newLines:
		case <-p.done:
			require.Fail(p.t, "the process exited", "waiting for %q: %v", message, p.err)
		case <-deadline:
			require.Fail(p.t, "timeout waiting for a log line", "%q", message)
		}
	}
}

// Kill sends SIGKILL to the process and waits until it has exited.
func (p *Process) Kill() {
	_ = p.Command.Process.Kill() // it may have exited already
	<-p.done
}

// cleanup kills the process and prints the rest of its log when the test has failed.
func (p *Process) cleanup() {
	p.Kill()
	if p.t.Failed() {
		for _, line := range p.lines {
			p.t.Log(line)
		}
	}
}

// Terminate sends SIGTERM to the process, as an orchestrator does, without waiting.
func (p *Process) Terminate() {
	p.t.Helper()
	require.NoError(p.t, p.Command.Process.Signal(syscall.SIGTERM))
}

// Wait waits until the process has exited and returns its exit code. It fails the test after [testclient.Timeout].
func (p *Process) Wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(testclient.Timeout):
		require.Fail(p.t, "timeout waiting for the process to exit")
	}
	return p.Command.ProcessState.ExitCode()
}

// Client returns a client that is authenticated as the user name.
func (p *Process) Client(name string) *testclient.Client {
	p.t.Helper()
	return testclient.New(p.t, p.URL, Token(p.t, name))
}

// Metrics returns the URL of the server's metrics. It requires ADMIN_ADDR.
func (p *Process) Metrics() string {
	p.t.Helper()
	require.NotEmpty(p.t, p.metrics, "ADMIN_ADDR is off")
	return p.metrics
}

// ReadMetrics returns the server's metrics.
func (p *Process) ReadMetrics() string {
	p.t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport, Timeout: testclient.Timeout}).Get(p.Metrics())
	require.NoError(p.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	return string(text)
}
