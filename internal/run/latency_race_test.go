//go:build race

package run

import "time"

// promptly is looser under the race detector, which makes SQLite some forty times slower.
const promptly = 2 * time.Second
