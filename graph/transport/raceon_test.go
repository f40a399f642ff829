//go:build race

package transport_test

// slowdown is how much the race detector slows code down, at most.
const slowdown = 15
