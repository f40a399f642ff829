//go:build race

package stream

// schedules are fewer here: each runs on one goroutine, and the race detector makes it ten times slower.
const schedules = 5_000
