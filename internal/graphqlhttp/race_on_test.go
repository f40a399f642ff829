//go:build race

package graphqlhttp_test

// slowdown is the maximum factor by which the race detector slows code down.
const slowdown = 15

// larger is the factor of allocated memory with the race detector, which empties pools at random.
const larger = 2
