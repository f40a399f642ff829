package telemetry

import (
	"strconv"
	"sync"
)

// maxLabelValues bounds the labels that clients can bring into being.
const maxLabelValues = 200

// labelLimiter lets through as many different names as a metric can bear.
type labelLimiter struct {
	mu   sync.Mutex
	seen map[string]bool
}

func newLabelLimiter() *labelLimiter { return &labelLimiter{seen: map[string]bool{}} }

func (n *labelLimiter) limit(name string) string {
	if name == "" {
		return ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.seen[name] {
		return name
	}
	if len(n.seen) >= maxLabelValues {
		return "other"
	}
	n.seen[name] = true
	return name
}

// closeCodeLabel is a WebSocket close code as a label; peers may send any number.
func closeCodeLabel(code int) string {
	if code < 1000 || code > 4999 || (code > 1015 && code < 4400) {
		return "other"
	}
	return strconv.Itoa(code)
}
