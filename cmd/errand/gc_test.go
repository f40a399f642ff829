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

func TestReleaseTimer_IdleSeconds_ReleasesOncePerBurst(t *testing.T) {
	const mib = 1 << 20
	var timer releaseTimer
	for i, second := range []struct {
		allocated, goroutines uint64
		due                   bool
	}{
		{40 * mib, 20, false},     // starting
		{40 * mib, 20, true},      // the first idle second
		{41*mib - 1, 20, false},   // little was allocated since
		{140 * mib, 5020, false},  // 5,000 sockets are opened
		{140 * mib, 5020, true},   // and idle
		{140 * mib, 5020, false},  //
		{142 * mib, 20, false},    // all are closed
		{142*mib + 10, 20, true},  // they allocated little and left much
		{142*mib + 20, 20, false}, //
		{142*mib + 30, 200, false},
		{142*mib + 40, 20, false}, // a few sockets are not worth a collection
	} {
		require.Equal(t, second.due, timer.due(second.allocated, second.goroutines), "second %d", i)
	}
}
