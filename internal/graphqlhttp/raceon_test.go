//go:build race

package graphqlhttp_test

// slowdown is how much the race detector slows code down, at most.
const slowdown = 15

// larger is how much more memory code takes with the race detector, which empties pools at random.
const larger = 2
