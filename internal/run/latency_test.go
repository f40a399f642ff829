//go:build !race

package run

import "time"

// maxCancelLatency is the documented maximum latency of a cancellation and of a hand-over.
const maxCancelLatency = 200 * time.Millisecond
