package ops

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
	strict "sigs.k8s.io/yaml"
)

// metric is a metric of a server, or a series of a histogram.
type metric struct {
	kind   string
	labels []string
}

// targetLabels are added by Prometheus and its configuration.
var targetLabels = []string{"job", "instance", "namespace", "pod"}

// processMetrics are those of Prometheus, the process and the Go runtime that alerts and dashboard may use.
var processMetrics = map[string]metric{
	"up":                            {kind: "gauge"},
	"go_goroutines":                 {kind: "gauge"},
	"go_memstats_heap_inuse_bytes":  {kind: "gauge"},
	"process_cpu_seconds_total":     {kind: "counter"},
	"process_max_fds":               {kind: "gauge"},
	"process_open_fds":              {kind: "gauge"},
	"process_resident_memory_bytes": {kind: "gauge"},
}

// readMetrics returns the series of a server by name. A test of test/deploy keeps the list equal to what one serves.
func readMetrics(t *testing.T) map[string]metric {
	t.Helper()
	metrics := map[string]metric{}
	for line := range strings.Lines(read(t, "ops/prometheus/metrics.txt")) {
		fields := strings.Fields(line)
		if fields[0] == "#" {
			continue
		}
		m := metric{kind: fields[1]}
		if len(fields) > 2 {
			m.labels = strings.Split(fields[2], ",")
		}
		if m.kind != "histogram" {
			metrics[fields[0]] = m
			continue
		}
		metrics[fields[0]+"_bucket"] = metric{"counter", append(slices.Clone(m.labels), "le")}
		metrics[fields[0]+"_sum"] = metric{"counter", m.labels}
		metrics[fields[0]+"_count"] = metric{"counter", m.labels}
	}
	require.NotEmpty(t, metrics)
	for name, m := range processMetrics {
		metrics[name] = m
	}
	return metrics
}

// checkExpression parses an expression, and checks its metrics, their labels and the values that labels are compared
// with. It returns the labels of the result if it is an aggregation.
func checkExpression(t *testing.T, metrics map[string]metric, literals map[string]bool, text string) {
	t.Helper()
	expr, err := parser.ParseExpr(text)
	require.NoError(t, err, text)
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			m, ok := metrics[n.Name]
			require.True(t, ok, "%s: there is no metric %s", text, n.Name)
			for _, matcher := range n.LabelMatchers {
				if matcher.Name == model.MetricNameLabel || slices.Contains(targetLabels, matcher.Name) {
					continue
				}
				require.Contains(t, m.labels, matcher.Name, "%s: labels of %s", text, n.Name)
				checkValues(t, literals, text, matcher)
			}
		case *parser.AggregateExpr:
			for _, label := range n.Grouping {
				if !slices.Contains(targetLabels, label) {
					require.True(t, allSelect(metrics, n.Expr, label), "%s: a metric has no label %s", text, label)
				}
			}
		case *parser.Call:
			checkCounter(t, metrics, text, n)
		}
		return nil
	})
}

// allSelect reports whether every metric in an expression has a label.
func allSelect(metrics map[string]metric, expr parser.Expr, label string) bool {
	all := true
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			all = all && slices.Contains(metrics[selector.Name].labels, label)
		}
		return nil
	})
	return all
}

// checkCounter checks that rates are taken of counters only.
func checkCounter(t *testing.T, metrics map[string]metric, text string, call *parser.Call) {
	t.Helper()
	if call.Func.Name != "rate" && call.Func.Name != "increase" {
		return
	}
	parser.Inspect(call, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			require.Equal(t, "counter", metrics[selector.Name].kind, "%s: %s of %s", text, call.Func.Name, selector.Name)
		}
		return nil
	})
}

// checkValues checks that the program has each value that a matcher names as a text.
func checkValues(t *testing.T, literals map[string]bool, text string, matcher *labels.Matcher) {
	t.Helper()
	for value := range strings.SplitSeq(matcher.Value, "|") {
		require.True(t, value == "" || literals[value], "%s: the program never sets %s to %q", text, matcher.Name, value)
	}
}

// programLiterals returns the string literals of the program.
func programLiterals(t *testing.T) map[string]bool {
	t.Helper()
	literals, pattern := map[string]bool{}, regexp.MustCompile(`"([\w-]+)"`)
	require.NoError(
		t,
		filepath.WalkDir(filepath.Join(root, "internal"), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			content, err := os.ReadFile(path)
			for _, match := range pattern.FindAllStringSubmatch(string(content), -1) {
				literals[match[1]] = true
			}
			return err
		}),
	)
	return literals
}

func TestAlerts_EachRule_UsesMetricsOfTheServer(t *testing.T) {
	groups, errs := rulefmt.Parse([]byte(read(t, "ops/prometheus/alerts.yaml")), false, model.LegacyValidation)
	require.Empty(t, errs)
	metrics, literals := readMetrics(t), programLiterals(t)
	operations := read(t, "docs/OPERATIONS.md")
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			t.Run(rule.Alert, func(t *testing.T) {
				checkExpression(t, metrics, literals, rule.Expr)
				require.Contains(t, []string{"critical", "warning", "info"}, rule.Labels["severity"])
				require.True(t, strings.Contains(operations, "`"+rule.Alert+"`"), "docs/OPERATIONS.md does not say what to do")
				// The annotations name labels of the result.
				expr, err := parser.ParseExpr(rule.Expr)
				require.NoError(t, err)
				for _, match := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(rule.Annotations["summary"], -1) {
					require.True(t, keeps(expr, match[1]), "the result has no label %s", match[1])
				}
			})
		}
	}
}

// keeps reports whether the result of an expression has a target label or one of its grouping.
func keeps(expr parser.Expr, label string) bool {
	kept, aggregated := false, false
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if a, ok := node.(*parser.AggregateExpr); ok {
			aggregated = true
			kept = kept || slices.Contains(a.Grouping, label)
		}
		return nil
	})
	return kept || !aggregated && slices.Contains(targetLabels, label)
}

// panel is what the test reads of a panel of the dashboard.
type panel struct {
	ID      int    `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	GridPos struct{ H, W, X, Y int }
	Targets []struct {
		RefID        string `json:"refId"`
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
	} `json:"targets"`
}

func TestDashboard_EachPanel_UsesMetricsOfTheServer(t *testing.T) {
	var dashboard struct {
		UID        string
		Panels     []panel
		Templating struct{ List []struct{ Name string } }
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, "ops/grafana/errand.json")), &dashboard))
	variables := []string{}
	for _, variable := range dashboard.Templating.List {
		variables = append(variables, variable.Name)
	}
	require.Equal(t, []string{"datasource", "job", "instance"}, variables)
	metrics, literals := readMetrics(t), programLiterals(t)
	used, ids := map[string]bool{}, map[int]bool{}
	values := strings.NewReplacer("$job", "errand", "$instance", ".+", "$__rate_interval", "5m")
	for _, p := range dashboard.Panels {
		require.False(t, ids[p.ID], "two panels have the id %d", p.ID)
		ids[p.ID] = true
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24)
		for _, target := range p.Targets {
			text := values.Replace(target.Expr)
			require.NotContains(t, text, "$", "%s has an unknown variable", p.Title)
			checkExpression(t, metrics, literals, text)
			expr, err := parser.ParseExpr(text)
			require.NoError(t, err)
			for _, match := range regexp.MustCompile(`\{\{(\w+)\}\}`).FindAllStringSubmatch(target.LegendFormat, -1) {
				require.True(t, keeps(expr, match[1]), "%s: the legend's label %s", p.Title, match[1])
			}
			for name := range metrics {
				used[name] = used[name] || strings.Contains(text, name)
			}
		}
	}
	names := []string{"errand_runs_active", "errand_bus_lag_seconds", "errand_build_info", "errand_refusals_total"}
	for _, name := range names {
		require.True(t, used[name], name)
	}
}

func TestPrometheus_Configuration_NamesTheAlertsAndTheJob(t *testing.T) {
	var configuration struct {
		Global struct {
			ScrapeInterval     string `json:"scrape_interval"`
			EvaluationInterval string `json:"evaluation_interval"`
		} `json:"global"`
		RuleFiles     []string `json:"rule_files"`
		ScrapeConfigs []struct {
			JobName       string `json:"job_name"`
			StaticConfigs []struct {
				Targets []string `json:"targets"`
			} `json:"static_configs"`
		} `json:"scrape_configs"`
	}
	require.NoError(t, strict.UnmarshalStrict([]byte(read(t, "ops/prometheus/prometheus.yaml")), &configuration))
	require.Equal(t, "errand", configuration.ScrapeConfigs[0].JobName)
	require.Equal(t, []string{"127.0.0.1:8090"}, configuration.ScrapeConfigs[0].StaticConfigs[0].Targets)
	require.Contains(t, read(t, ".env.example"), "#ADMIN_ADDR=127.0.0.1:8090")
	for _, name := range configuration.RuleFiles {
		require.FileExists(t, filepath.Join(root, "ops/prometheus", name))
	}
}
