package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// garbageFloor is how much garbage, in bytes, may gather before it is collected, however small the heap.
const garbageFloor = 32 << 20

// paceCollector keeps the collector from running all the time. By default it runs whenever the heap
// has doubled, and a serving program keeps so little that under load this is
// a hundred times a second, at a sixth of its work. A heap above the floor is collected as by
// default, so many idle subscriptions cost no more memory. GOGC in the environment wins.
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
	const usual, step = 100, 50
	percent := garbageFloor * usual / max(live, 1<<20) / step * step
	return int(max(percent, usual)) //nolint:gosec // at most 3,200
}
