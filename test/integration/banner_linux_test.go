package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// openTerminal returns the two ends of a pseudo terminal.
func openTerminal(t *testing.T) (user, program *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = user.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = program.Close() })
	return user, program
}

// TestServe_Terminal_EndsStartOutputWithBanner checks the terminal as the standard error, where the log is text, and as
// the standard output of a program whose log goes to a pipe, where it must stay JSON.
func TestServe_Terminal_EndsStartOutputWithBanner(t *testing.T) {
	t.Parallel()
	for _, stream := range []string{"stderr", "stdout"} {
		t.Run(stream, func(t *testing.T) {
			t.Parallel()
			settings := harness.TestSettings(testdb.SQLiteURL(t))
			settings["BETTER_AUTH_SECRET"] = ""
			command := harness.Command(t, settings, "serve")
			user, program := openTerminal(t)
			var log *bufio.Scanner
			if stream == "stderr" {
				command.Stderr = program
			} else {
				command.Stdout = program
				pipe, err := command.StderrPipe()
				require.NoError(t, err)
				log = bufio.NewScanner(pipe)
			}
			require.NoError(t, command.Start())
			stopped := false
			stop := func() {
				if !stopped {
					stopped = true
					_ = command.Process.Kill()
					_ = command.Wait()
				}
			}
			t.Cleanup(stop)
			url, lines := "", bufio.NewScanner(user)
			for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl+C") {
				if _, address, ok := strings.Cut(lines.Text(), "  Open "); ok {
					url = strings.TrimSpace(address)
				}
			}
			response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(newGet(t, url))
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusOK, response.StatusCode)
			if log != nil {
				for log.Scan() {
					require.True(t, json.Valid(log.Bytes()), log.Text())
					if strings.Contains(log.Text(), `"msg":"serving"`) {
						break
					}
				}
			}
			stop()
		})
	}
}

func newGet(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	return r
}
