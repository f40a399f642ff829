package telemetry

import (
	"strconv"
	"sync"
)

// maxNames bounds the labels that clients can bring into being.
const maxNames = 200

// names lets through as many different names as a metric can bear.
type names struct {
	mu   sync.Mutex
	seen map[string]bool
}

func newNames() *names { return &names{seen: map[string]bool{}} }

func (n *names) bounded(name string) string {
	if name == "" {
		return ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.seen[name] {
		return name
	}
	if len(n.seen) >= maxNames {
		return "other"
	}
	n.seen[name] = true
	return name
}

// closeCode is a WebSocket close code as a label; peers may send any number.
func closeCode(code int) string {
	if code < 1000 || code > 4999 || (code > 1015 && code < 4400) {
		return "other"
	}
	return strconv.Itoa(code)
}
