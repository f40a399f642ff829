package deploy

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the list of metrics")

// metricsFile lists the metrics of a server with its labels. test/ops checks alerts and dashboard against it.
const metricsFile = "ops/prometheus/metrics.txt"

const metricsHeader = `# The metrics that Errand serves at /metrics on PostgreSQL, besides those of the process and Go:
# NAME TYPE LABELS. Histograms have the series _bucket (with the label le), _sum and _count. On SQLite there are no
# errand_bus_* and no errand_session_lock_held. Written by: go test ./test/deploy -run TestMetrics -update
`

// TestMetrics_List_IsThatOfAServer compares the list with what a server with traffic serves.
func TestMetrics_List_IsThatOfAServer(t *testing.T) {
	t.Parallel()
	p := harness.StartProcess(t, testdb.PostgresURL(t), harness.Settings{"ADMIN_ADDR": "127.0.0.1:0"})
	alice := p.Client("alice")
	conversation := &harness.Conversation{Client: alice}
	conversation.SendAndWait(t, "Add a task to buy groceries") // a model call, a tool call and a socket
	response := testclient.New(t, p.URL, "not a token").Try(t, harness.ViewerIDDoc, nil)
	require.Equal(t, "UNAUTHENTICATED", response.ErrorCode())
	_, err := testclient.New(t, p.URL, "not a token").TryDial(t.Context()) // the server closes the socket
	require.Error(t, err)
	var metrics string
	require.Eventually(t, func() bool {
		metrics = p.ReadMetrics()
		return strings.Contains(metrics, "errand_socket_closes_total{")
	}, testclient.Timeout, 10*time.Millisecond)
	got := parseMetrics(metrics)
	for name := range got {
		if !strings.HasPrefix(name, "errand_") && !strings.HasPrefix(name, "gen_ai_") {
			delete(got, name)
		}
	}
	var text strings.Builder
	text.WriteString(metricsHeader)
	for _, name := range slices.Sorted(maps.Keys(got)) {
		text.WriteString(strings.TrimRight(name+" "+got[name], " ") + "\n")
	}
	path := filepath.Join(root, metricsFile)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text.String(), "write the list with: go test ./test/deploy -run TestMetrics -update")
}

var (
	metricType   = regexp.MustCompile(`^# TYPE (\S+) (\S+)$`)
	metricSample = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? \S+$`)
	metricLabel  = regexp.MustCompile(`(?:^|,)([a-z_]+)="`)
)

// parseMetrics returns "TYPE LABELS" of each metric in Prometheus's text format; labels are sorted, without le.
func parseMetrics(text string) map[string]string {
	metrics := map[string]string{}
	name, kind := "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if match := metricType.FindStringSubmatch(line); match != nil {
			name, kind = match[1], match[2]
			continue
		}
		match := metricSample.FindStringSubmatch(line)
		if match == nil || !strings.HasPrefix(match[1], name) {
			continue
		}
		labels := map[string]bool{}
		for _, label := range metricLabel.FindAllStringSubmatch(match[2], -1) {
			if label[1] != "le" {
				labels[label[1]] = true
			}
		}
		metrics[name] = kind + " " + strings.Join(slices.Sorted(maps.Keys(labels)), ",")
	}
	return metrics
}
