package telemetry

import (
	"cmp"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

// BuildInfo registers the metric that names the program's version and commit, in labels of a constant 1. An empty
// version means that the program was built without one. Call it once.
func (m *Metrics) BuildInfo(version, commit string) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace,
		Name:      "build_info",
		Help:      "The program's version, in labels; the value is 1.",
		ConstLabels: prometheus.Labels{
			"version":   cmp.Or(version, "devel"),
			"revision":  cmp.Or(commit, "unknown"),
			"goversion": runtime.Version(),
		},
	}, func() float64 { return 1 }))
}
