package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSmallHeapsAreCollectedLessOften(t *testing.T) {
	for live, percent := range map[uint64]int{
		0: 3200, 1 << 20: 3200, 8 << 20: 400, 10 << 20: 300, 31 << 20: 100, 32 << 20: 100, 1 << 40: 100,
	} {
		require.Equal(t, percent, gcPercent(live), "%d bytes", live)
	}
}
