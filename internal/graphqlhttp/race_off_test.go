//go:build !race

package graphqlhttp_test

const slowdown = 1

// larger is the factor of allocated memory with the race detector, which empties pools at random.
const larger = 1
