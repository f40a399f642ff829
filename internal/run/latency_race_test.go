//go:build race

package run

import "time"

// maxCancelLatency is larger under the race detector, which makes SQLite some forty times slower.
const maxCancelLatency = 2 * time.Second
