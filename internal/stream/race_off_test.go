//go:build !race

package stream

const schedules = 20_000
