//go:build !race

package run

import "time"

// promptly is the bound that people are promised for a cancellation and for a hand-over.
const promptly = 200 * time.Millisecond
