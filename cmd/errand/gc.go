package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// garbageFloor is how much garbage, in bytes, may gather before it is collected, however small the heap.
const garbageFloor = 32 << 20

// paceCollector keeps the collector from running all the time. By default it runs whenever the heap
// has doubled, and a serving program keeps so little that under load this is
// a hundred times a second, at a sixth of its work. A large heap is that of many idle
// subscriptions, whose memory counts for more: it is collected sooner than by default. GOGC in the environment wins.
func paceCollector() {
	if os.Getenv("GOGC") == "" {
		p := &pacer{live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
		runtime.SetFinalizer(p, (*pacer).collected)
	}
}

// pacer is garbage from the start, so each collection finalizes it.
type pacer struct {
	percent int
	live    []metrics.Sample
}

func (p *pacer) collected() {
	metrics.Read(p.live)
	if percent := gcPercent(p.live[0].Value.Uint64()); percent != p.percent {
		p.percent = percent
		debug.SetGCPercent(percent)
	}
	runtime.SetFinalizer(p, (*pacer).collected)
}

// gcPercent is Go's GOGC for a heap of so many live bytes, in steps: each change stops the world for a moment.
func gcPercent(live uint64) int {
	const least, step = 50, 50
	percent := garbageFloor * 100 / max(live, 1<<20) / step * step
	return int(max(percent, least)) //nolint:gosec // at most 3,200
}

// Bounds of quiet, in bytes of allocations: how little happens in a quiet second, and how much
// must have happened before it that a collection is worth its while.
const (
	quietBytes = 1 << 20
	worthBytes = 8 << 20
)

// returnMemory gives what a burst of work has left behind back to the machine as soon as there is a
// quiet second. The collector by itself would wait for the next burst, or for two minutes, so
// thousands of idle subscriptions would take a tenth more. It returns when ctx ends.
func returnMemory(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	allocated := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	var last, returned uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(allocated)
		now := allocated[0].Value.Uint64()
		if now-last < quietBytes && now-returned > worthBytes {
			debug.FreeOSMemory()
			returned = now
		}
		last = now
	}
}
