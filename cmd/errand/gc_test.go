package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGCPercent_LiveHeap_LargerForSmallHeaps(t *testing.T) {
	for live, percent := range map[uint64]int{
		0: 3200, 1 << 20: 3200, 8 << 20: 400, 10 << 20: 300, 32 << 20: 100, 33 << 20: 50, 1 << 40: 50,
	} {
		require.Equal(t, percent, gcPercent(live), "%d bytes", live)
	}
}
