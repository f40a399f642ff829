package telemetry

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"errand/internal/refusal"
	"errand/internal/run"
	"errand/internal/viewer"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the Prometheus metrics of the server. The number of label values is bounded: names that clients choose,
// such as operation names, are labels only for signed-in users and count as "other" beyond a maximum. Safe for
// concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	operations    *prometheus.HistogramVec
	names         *labelLimiter // of operations
	sockets       prometheus.Gauge
	closes        *prometheus.CounterVec
	refusals      *prometheus.CounterVec
	subscriptions prometheus.Gauge

	active    prometheus.Gauge
	attempts  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	queueWait prometheus.Histogram

	firstText  prometheus.Histogram
	modelCalls *prometheus.HistogramVec
	tokens     *prometheus.CounterVec
	toolCalls  *prometheus.HistogramVec
	tools      *labelLimiter
	generative generativeMetrics
}

// Histogram buckets in seconds: from a millisecond to half a minute, and from a tenth of a second to five minutes.
var (
	fastBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	slowBuckets = []float64{.1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300}
)

// NewMetrics returns the metrics in a new registry, together with those of the process and the Go runtime.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		names:    newLabelLimiter(),
		tools:    newLabelLimiter(),
		operations: histogram("operation_seconds",
			"GraphQL operations and MCP requests by type, name, transport and the code of their first error.",
			fastBuckets, "type", "name", "transport", "code"),
		sockets: gauge("sockets", "Open WebSockets."),
		closes:  counter("socket_closes_total", "Closed WebSockets by close code.", "code"),
		refusals: counter("refusals_total",
			"Requests and tokens refused because of their token, origin or host, by reason.",
			"surface", "transport", "reason"),
		subscriptions: gauge("subscriptions", "Open subscriptions on any transport."),
		active:        gauge("runs_active", "Replies that this replica writes."),
		attempts:      counter("run_attempts_total", "Attempts to generate a reply, by result.", "end"),
		duration:      histogram("run_seconds", "Duration of attempts, by result.", slowBuckets, "end"),
		queueWait: prometheus.NewHistogram(
			options("run_queue_wait_seconds", "Time from the creation of a reply to its claim by a replica.", fastBuckets),
		),
		firstText: prometheus.NewHistogram(
			options("first_text_seconds", "Time from a model call to its first text.", fastBuckets),
		),
		modelCalls: histogram("model_call_seconds", "Model calls by outcome.", slowBuckets, "model", "outcome"),
		tokens:     counter("model_tokens_total", "Tokens by kind: input, output and cached input.", "model", "kind"),
		toolCalls:  histogram("tool_call_seconds", "Tool calls by outcome.", fastBuckets, "tool", "outcome"),
		generative: newGenerativeMetrics(),
	}
	m.registry.MustRegister(
		m.generative.duration,
		m.generative.tokens,
		m.generative.firstChunk,
		m.operations,
		m.sockets,
		m.closes,
		m.refusals,
		m.subscriptions,
		m.active,
		m.attempts,
		m.duration,
		m.queueWait,
		m.firstText,
		m.modelCalls,
		m.tokens,
		m.toolCalls,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

const namespace = "errand"

func options(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(options(name, help, buckets), labels)
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
}

// Handler returns the handler that serves the metrics in Prometheus's format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Watch registers a gauge whose value is read at each scrape. read must not block.
func (m *Metrics) Watch(name, help string, read func() float64) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, read),
	)
}

// WatchCounter registers a counter whose value is read at each scrape. Its name ends in _total.
func (m *Metrics) WatchCounter(name, help string, read func() float64) {
	m.registry.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, read),
	)
}

// Operation records a finished GraphQL operation or MCP request of ctx's viewer. kind is "" when it was rejected. The
// name of a rejected or anonymous operation is not recorded, since anyone can choose it.
func (m *Metrics) Operation(ctx context.Context, kind, name, transport, code string, took time.Duration) {
	v, signedIn := viewer.FromContext(ctx)
	if signedIn && kind != "" {
		name = m.names.limit(v.UserID, name)
	} else {
		name = ""
	}
	m.operations.WithLabelValues(kind, name, transport, code).Observe(took.Seconds())
}

// AttemptStarted implements run.Observer.
func (m *Metrics) AttemptStarted(_ run.Job, waited time.Duration) {
	m.active.Inc()
	m.queueWait.Observe(waited.Seconds())
}

// AttemptEnded implements run.Observer.
func (m *Metrics) AttemptEnded(_ run.Job, end run.AttemptResult, took time.Duration) {
	m.attempts.WithLabelValues(string(end)).Inc()
	if took > 0 { // else it has not begun on this replica
		m.active.Dec()
		m.duration.WithLabelValues(string(end)).Observe(took.Seconds())
	}
}

// FirstText implements agent.Observer.
func (m *Metrics) FirstText(model string, wait time.Duration) {
	m.firstText.Observe(wait.Seconds())
	m.generative.observeFirstText(model, wait)
}

// ModelCall implements agent.Observer.
func (m *Metrics) ModelCall(c ModelCall) {
	m.modelCalls.WithLabelValues(c.Answered, outcome(c.Err != nil)).Observe(c.Took.Seconds())
	for kind, n := range map[string]int{"input": c.Input, "output": c.Output, "cached": c.Cached} {
		m.tokens.WithLabelValues(c.Answered, kind).Add(float64(n))
	}
	m.generative.observe(c)
}

// ToolCall implements agent.Observer.
func (m *Metrics) ToolCall(name string, took time.Duration, failed bool) {
	m.toolCalls.WithLabelValues(m.tools.limit("", name), outcome(failed)).Observe(took.Seconds())
}

// SocketOpened records a new WebSocket.
func (m *Metrics) SocketOpened() { m.sockets.Inc() }

// SocketClosed records the end of a WebSocket with its close code.
func (m *Metrics) SocketClosed(code int) {
	m.sockets.Dec()
	m.closes.WithLabelValues(closeCodeLabel(code)).Inc()
}

// Refused records a refused request. Its arguments are from closed lists.
func (m *Metrics) Refused(surface refusal.Surface, transport refusal.Transport, reason refusal.Reason) {
	m.refusals.WithLabelValues(string(surface), string(transport), string(reason)).Inc()
}

// SubscriptionOpened records a new subscription.
func (m *Metrics) SubscriptionOpened() { m.subscriptions.Inc() }

// SubscriptionClosed records the end of a subscription.
func (m *Metrics) SubscriptionClosed() { m.subscriptions.Dec() }

func outcome(failed bool) string {
	if failed {
		return "failed"
	}
	return "ok"
}

// The numbers of distinct names in a label whose values clients choose: in total, and of one user, so that a user
// cannot take all of them.
const (
	maxLabelValues     = 200
	maxUserLabelValues = 50
)

// labelLimiter replaces label values by "other" above these numbers. Safe for concurrent use.
type labelLimiter struct {
	mu     sync.Mutex
	values map[string]bool
	users  map[string]int // values that each user was the first to send
}

func newLabelLimiter() *labelLimiter {
	return &labelLimiter{values: map[string]bool{}, users: map[string]int{}}
}

// limit returns the label value for a name that a user has sent. An empty user is the server itself.
func (l *labelLimiter) limit(userID, name string) string {
	if name == "" {
		return ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.values[name] {
		return name
	}
	if len(l.values) >= maxLabelValues || userID != "" && l.users[userID] >= maxUserLabelValues {
		return "other"
	}
	l.values[name] = true
	if userID != "" {
		l.users[userID]++
	}
	return name
}

// closeCodeLabel returns a WebSocket close code as a label value. Codes outside the ranges in use, which a peer may
// send, are "other".
func closeCodeLabel(code int) string {
	if code < 1000 || code > 4999 || (code > 1015 && code < 4400) {
		return "other"
	}
	return strconv.Itoa(code)
}
