//go:build !race

package graphqlhttp_test

const slowdown = 1

// larger is how much more memory code takes with the race detector, which empties pools at random.
const larger = 1
