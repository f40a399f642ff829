package telemetry

import (
	"net/http"
	"time"

	"errand/internal/run"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are what Prometheus reads. Labels come from closed lists: what clients
// choose, such as operation names, is counted only up to a bound.
type Metrics struct {
	registry *prometheus.Registry

	operations    *prometheus.HistogramVec
	labels         *labelLimiter
	sockets       prometheus.Gauge
	closes        *prometheus.CounterVec
	subscriptions prometheus.Gauge

	attempts  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	queueWait prometheus.Histogram

	firstText  prometheus.Histogram
	modelCalls *prometheus.HistogramVec
	tokens     *prometheus.CounterVec
	toolCalls  *prometheus.HistogramVec
}

// Times from a millisecond to half a minute, and from a tenth to five minutes, in seconds.
var (
	fastBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	slowBuckets  = []float64{.1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300}
)

// NewMetrics makes the metrics, with those of the process and the Go runtime.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		labels:    newLabelLimiter(),
		operations: histogram(
			"operation_seconds",
			"GraphQL operations and MCP requests by type, name, transport and the code of their first error.",
			fastBuckets,
			"type",
			"name",
			"transport",
			"code",
		),
		sockets:       gauge("sockets", "Open WebSockets."),
		closes:        counter("socket_closes_total", "Closed WebSockets by close code.", "code"),
		subscriptions: gauge("subscriptions", "Live subscriptions on any transport."),
		attempts:      counter("run_attempts_total", "Attempts at replies by how they ended.", "end"),
		duration:      histogram("run_seconds", "How long attempts took, by how they ended.", slowBuckets, "end"),
		queueWait: prometheus.NewHistogram(
			options("run_queue_wait_seconds", "How long replies waited for a replica.", fastBuckets),
		),
		firstText: prometheus.NewHistogram(
			options("first_text_seconds", "From asking the model to its first text.", fastBuckets),
		),
		modelCalls: histogram("model_call_seconds", "Calls of the model by outcome.", slowBuckets, "model", "outcome"),
		tokens:     counter("model_tokens_total", "Tokens read, written and read from cache.", "model", "kind"),
		toolCalls:  histogram("tool_call_seconds", "Uses of tools by outcome.", fastBuckets, "tool", "outcome"),
	}
	m.registry.MustRegister(m.operations, m.sockets, m.closes, m.subscriptions, m.attempts, m.duration, m.queueWait,
		m.firstText, m.modelCalls, m.tokens, m.toolCalls,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
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

// Handler serves the metrics in Prometheus's format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Watch reads a figure whenever the metrics are read. It must answer at once.
func (m *Metrics) Watch(name, help string, read func() float64) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, read),
	)
}

// WatchCounter is Watch for a figure that only grows; its name ends in _total.
func (m *Metrics) WatchCounter(name, help string, read func() float64) {
	m.registry.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, read),
	)
}

// Operation counts a GraphQL operation or an MCP request that has ended.
func (m *Metrics) Operation(kind, name, transport, code string, took time.Duration) {
	m.operations.WithLabelValues(kind, m.labels.limit(name), transport, code).Observe(took.Seconds())
}

// AttemptStarted implements run.Observer.
func (m *Metrics) AttemptStarted(_ run.Job, waited time.Duration) { m.queueWait.Observe(waited.Seconds()) }

// AttemptEnded implements run.Observer.
func (m *Metrics) AttemptEnded(_ run.Job, end run.AttemptResult, took time.Duration) {
	m.attempts.WithLabelValues(string(end)).Inc()
	if took > 0 {
		m.duration.WithLabelValues(string(end)).Observe(took.Seconds())
	}
}

// FirstText implements agent.Observer.
func (m *Metrics) FirstText(wait time.Duration) { m.firstText.Observe(wait.Seconds()) }

// ModelCall implements agent.Observer.
func (m *Metrics) ModelCall(model string, took time.Duration, input, output, cached int, err error) {
	m.modelCalls.WithLabelValues(model, outcome(err != nil)).Observe(took.Seconds())
	for kind, n := range map[string]int{"input": input, "output": output, "cached": cached} {
		m.tokens.WithLabelValues(model, kind).Add(float64(n))
	}
}

// ToolCall implements agent.Observer.
func (m *Metrics) ToolCall(name string, took time.Duration, failed bool) {
	m.toolCalls.WithLabelValues(m.labels.limit(name), outcome(failed)).Observe(took.Seconds())
}

// SocketOpened counts a new WebSocket.
func (m *Metrics) SocketOpened() { m.sockets.Inc() }

// SocketClosed counts a WebSocket that has ended, by its close code.
func (m *Metrics) SocketClosed(code int) {
	m.sockets.Dec()
	m.closes.WithLabelValues(closeCodeLabel(code)).Inc()
}

// SubscriptionOpened counts a new subscription.
func (m *Metrics) SubscriptionOpened() { m.subscriptions.Inc() }

// SubscriptionClosed counts a subscription that has ended.
func (m *Metrics) SubscriptionClosed() { m.subscriptions.Dec() }

func outcome(failed bool) string {
	if failed {
		return "failed"
	}
	return "ok"
}
