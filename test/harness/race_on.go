//go:build race

package harness

// RaceEnabled reports whether the race detector is enabled. Tests use smaller workloads with it, because it slows
// them down several times.
const RaceEnabled = true
