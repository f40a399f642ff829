//go:build !race

package harness

// RaceEnabled reports whether the tests run with the race detector, which slows everything down several times.
const RaceEnabled = false
