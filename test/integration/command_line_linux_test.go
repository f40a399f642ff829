package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// runToEnd runs a command until it exits.
func runToEnd(t *testing.T, command *exec.Cmd) commandResult {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	return commandResult{stdout.String(), stderr.String(), command.ProcessState.ExitCode()}
}

// TestServe_PortInUse_SaysWhoBeforeMigrating checks that a server that cannot listen leaves the database alone.
func TestServe_PortInUse_SaysWhoBeforeMigrating(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	file := filepath.Join(t.TempDir(), "errand.db")
	settings := harness.TestSettings("sqlite:" + file)
	settings["ADDR"] = taken.Addr().String()
	r := runToEnd(t, harness.Command(t, settings, "serve"))
	require.Equal(t, 1, r.code)
	require.Contains(t, r.stderr, fmt.Sprintf("errand: ADDR: %s is in use by process %d (", taken.Addr(), os.Getpid()))
	require.Contains(t, r.stderr, "stop it, or set another ADDR or --addr, such as 127.0.0.1:")
	require.NoFileExists(t, file)

	delete(settings, "ADDR")
	r = runToEnd(t, harness.Command(t, settings, "serve", "--addr", taken.Addr().String()))
	require.Contains(t, r.stderr, "is in use by process")
	require.NoFileExists(t, file)
}

func TestServe_PortInUse_PostgresKeepsItsSchema(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	settings := harness.TestSettings(testdb.PostgresURL(t))
	harness.RunCommand(t, settings, "migrate", "down", "--yes")
	settings["ADDR"] = taken.Addr().String()
	r := runToEnd(t, harness.Command(t, settings, "serve", "-migrate"))
	require.Contains(t, r.stderr, "is in use by process")
	var status struct {
		Pending    int
		Migrations []struct{ AppliedAt *string }
	}
	out := harness.RunCommand(t, settings, "migrate", "status", "--json")
	require.NoError(t, json.Unmarshal([]byte(out), &status))
	require.Equal(t, 1, status.Pending)
	require.Nil(t, status.Migrations[len(status.Migrations)-1].AppliedAt)
}

// TestServe_LogFormat_IsThatOfTheSetting reads the log from a pipe, which is not a terminal.
func TestServe_LogFormat_IsThatOfTheSetting(t *testing.T) {
	t.Parallel()
	for format, isJSON := range map[string]bool{"auto": true, "json": true, "text": false} {
		settings := harness.TestSettings(testdb.SQLiteURL(t))
		settings["LOG_FORMAT"] = format
		command := harness.Command(t, settings, "serve")
		writeDotenv(t, command, "# settings\nADRR=127.0.0.1:0\n")
		stderr, err := command.StderrPipe()
		require.NoError(t, err)
		require.NoError(t, command.Start())
		log := readUntil(t, stderr, "serving")
		require.NoError(t, command.Process.Signal(os.Interrupt))
		_, err = io.Copy(io.Discard, stderr)
		require.NoError(t, err)
		require.NoError(t, command.Wait(), "exit code 0 after an interrupt")
		require.Contains(t, log, ".env, line 2: ADRR is not a setting and has no effect; did you mean ADDR?")
		for line := range strings.Lines(log) {
			require.Equal(t, isJSON, json.Valid([]byte(line)), "%s: %s", format, line)
		}
	}
}

// writeDotenv writes the .env file of a command.
func writeDotenv(t *testing.T, command *exec.Cmd, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(command.Dir, ".env"), []byte(text), 0o600))
}

// readUntil returns the lines of r up to the one with the message.
func readUntil(t *testing.T, r io.Reader, message string) string {
	t.Helper()
	var text strings.Builder
	one := make([]byte, 1) // so that nothing is read beyond the line
	line := ""
	for {
		_, err := io.ReadFull(r, one)
		require.NoError(t, err, &text)
		if line += string(one); one[0] != '\n' {
			continue
		}
		text.WriteString(line)
		if strings.Contains(line, `"msg":"`+message+`"`) || strings.Contains(line, "msg="+message+" ") {
			return text.String()
		}
		line = ""
	}
}

func TestCommand_Interrupted_ExitsWith130(t *testing.T) {
	t.Parallel()
	called := make(chan struct{}, 1)
	release := make(chan struct{})
	model := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case called <- struct{}{}:
		default:
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(model.Close)
	t.Cleanup(func() { close(release) })
	settings := harness.TestSettings(testdb.SQLiteURL(t))
	maps.Copy(settings, harness.Settings{
		"LLM_PROVIDER": "openai", "OPENAI_BASE_URL": model.URL + "/v1", "LLM_MODEL": "slow", "LLM_CONTEXT_TOKENS": "8000",
	})
	command := harness.Command(t, settings, "doctor")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	require.NoError(t, command.Start())
	<-called
	require.NoError(t, command.Process.Signal(os.Interrupt))
	require.Error(t, command.Wait())
	require.Equal(t, 130, command.ProcessState.ExitCode(), &stderr)
	require.Equal(t, "errand: interrupted\n", stderr.String())
}

func TestMigrateDown_InterruptAtQuestion_ChangesNothing(t *testing.T) {
	t.Parallel()
	url := testdb.SQLiteURL(t)
	user, program := openTerminal(t)
	command := harness.Command(t, harness.TestSettings(url), "migrate", "down")
	command.Stdin = program
	stderr, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	question := make([]byte, len("Revert"))
	_, err = io.ReadFull(stderr, question)
	require.NoError(t, err)
	require.NoError(t, command.Process.Signal(syscall.SIGINT))
	rest, err := io.ReadAll(stderr)
	require.NoError(t, err)
	require.Error(t, command.Wait())
	require.Equal(t, 130, command.ProcessState.ExitCode())
	require.Contains(t, string(rest), "errand: interrupted")
	require.NoError(t, user.Close())
	out := harness.RunCommand(t, harness.TestSettings(url), "migrate", "status", "--json")
	require.Contains(t, out, `"pending": 0,`)
}

// TestCommand_ClosedPipe_PrintsNoStack runs commands whose reader is gone.
func TestCommand_ClosedPipe_PrintsNoStack(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"version"}, {"help"}, {"schema"}, {"completion", "bash"}, {"migrate", "status"}} {
		read, write, err := os.Pipe()
		require.NoError(t, err)
		require.NoError(t, read.Close())
		command := harness.Command(t, harness.TestSettings(testdb.SQLiteURL(t)), args...)
		var stderr bytes.Buffer
		command.Stdout, command.Stderr = write, &stderr
		err = command.Run()
		require.NoError(t, write.Close())
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			require.NotEqual(t, 2, exit.ExitCode(), args)
		}
		require.Empty(t, stderr.String(), args)
	}
}

// TestCommand_ConfigurationError_WarnsAboutMisspelledName checks that the probable cause is printed with the error.
func TestCommand_ConfigurationError_WarnsAboutMisspelledName(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"serve"}, {"migrate", "status"}, {"token", "--user", "a"}} {
		command := harness.Command(t, harness.Settings{"AUTH_JWKS_ULR": "https://app.example.com/jwks"}, args...)
		writeDotenv(t, command, "export ENVIRONMENT=\"production\"\r\nDATABSE_URL='x\r\ny'\r\nADRR=1\r\nLOG_LEVEL=loud")
		r := runToEnd(t, command)
		require.Equal(t, 1, r.code)
		require.Contains(t, r.stderr, "errand: warning: .env, line 2: DATABSE_URL is not a setting and has no effect; "+
			"did you mean DATABASE_URL?\nerrand: warning: .env, line 4: ADRR ")
		require.Contains(t, r.stderr, "errand: warning: the environment: AUTH_JWKS_ULR is not a setting")
		require.Contains(t, r.stderr, "LOG_LEVEL is not a log level")
	}
}

func TestDoctor_JSON_HasTheFindings(t *testing.T) {
	t.Parallel()
	command := harness.Command(t, harness.TestSettings(testdb.SQLiteURL(t)), "doctor", "--json")
	writeDotenv(t, command, "ADRR=1\n")
	r := runToEnd(t, command)
	var report struct {
		OK       bool
		Findings []struct{ Check, State, Detail, Fix string }
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &report), r.stdout)
	require.True(t, report.OK, r.stdout)
	require.Equal(t, 0, r.code)
	require.Equal(t, "setting ADRR", report.Findings[0].Check)
	require.Equal(t, "warning", report.Findings[0].State)

	settings := harness.Settings{"LOG_LEVEL": "loud", "OPENAI_API_KEY": "sk-canary"}
	r = runToEnd(t, harness.Command(t, settings, "doctor", "--json"))
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &report), r.stdout)
	require.False(t, report.OK)
	require.Equal(t, 1, r.code)
	require.Equal(t, "setting LOG_LEVEL", report.Findings[0].Check)
	require.NotContains(t, r.stdout, "canary")
}
