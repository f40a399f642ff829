//go:build !race

package transport_test

const slowdown = 1
