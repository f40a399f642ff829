package netlimit_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"errand/internal/netlimit"

	"github.com/stretchr/testify/require"
)

// slowWriter is a ResponseWriter whose client reads at a steady rate.
type slowWriter struct {
	http.ResponseWriter
	bytesPerSecond int
	deadline       time.Time
}

func (w *slowWriter) SetReadDeadline(time.Time) error { return nil }

func (w *slowWriter) SetWriteDeadline(t time.Time) error {
	w.deadline = t
	return nil
}

func (w *slowWriter) Write(p []byte) (int, error) {
	time.Sleep(min(time.Duration(len(p))*time.Second/time.Duration(w.bytesPerSecond), time.Until(w.deadline)))
	if !time.Now().Before(w.deadline) {
		return 0, os.ErrDeadlineExceeded
	}
	return len(p), nil
}

// TestDeadlines_SteadyReader_NeedsMinimumRate checks responses that are written at once and in small pieces.
func TestDeadlines_SteadyReader_NeedsMinimumRate(t *testing.T) {
	const size = 8 << 20
	for name, tc := range map[string]struct {
		bytesPerSecond, piece int
		complete              bool
	}{
		"fast enough":                  {40 << 10, size, true},
		"fast enough, in small pieces": {40 << 10, 1 << 10, true},
		"too slow":                     {20 << 10, size, false},
		"too slow, in small pieces":    {20 << 10, 1 << 10, false},
		"a byte a second":              {1, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, written := time.Now(), 0
				handler := netlimit.Deadlines{Body: time.Second, Write: 15 * time.Second}.Wrap(
					http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
						for piece := make([]byte, tc.piece); written < size; {
							n, err := w.Write(piece)
							if written += n; err != nil {
								return
							}
						}
					}))
				w := &slowWriter{ResponseWriter: httptest.NewRecorder(), bytesPerSecond: tc.bytesPerSecond}
				handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
				require.Equal(t, tc.complete, written == size, "%d bytes", written)
				if !tc.complete {
					require.Less(t, time.Since(began), time.Minute)
				}
			})
		})
	}
}
