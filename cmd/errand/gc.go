package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// minGarbageBytes is the garbage that accumulates before a collection, however small the heap is.
const minGarbageBytes = 32 << 20

// tuneGC sets GOGC after each collection by the size of the live heap. By default Go collects whenever the heap has
// doubled; with the few live megabytes of a busy server that is a hundred times a second and a sixth of the CPU
// time. A large heap, which mostly holds idle subscriptions, is collected earlier than by default, because its
// memory matters more. GOGC in the environment disables this.
func tuneGC() {
	if os.Getenv("GOGC") == "" {
		t := &gcTuner{liveHeap: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
		runtime.SetFinalizer(t, (*gcTuner).afterGC)
	}
}

// gcTuner is never referenced, so that each collection runs its finalizer.
type gcTuner struct {
	percent  int
	liveHeap []metrics.Sample
}

func (t *gcTuner) afterGC() {
	metrics.Read(t.liveHeap)
	if percent := gcPercent(t.liveHeap[0].Value.Uint64()); percent != t.percent {
		t.percent = percent
		debug.SetGCPercent(percent)
	}
	runtime.SetFinalizer(t, (*gcTuner).afterGC)
}

// gcPercent returns the GOGC value for a live heap of this size. It is rounded to steps, because each change stops
// the world briefly.
func gcPercent(liveBytes uint64) int {
	const minPercent, step = 50, 50
	percent := minGarbageBytes * 100 / max(liveBytes, 1<<20) / step * step
	return int(max(percent, minPercent)) //nolint:gosec // at most 3,200
}

const (
	// maxIdleAllocBytes is the maximum of allocations in a second that counts as idle.
	maxIdleAllocBytes = 1 << 20
	// minReleaseBytes is the minimum of allocations since the last release, unless minEndedGoroutines have ended.
	minReleaseBytes = 8 << 20
	// minEndedGoroutines have ended since the last release when many sockets were closed: their memory is garbage,
	// though closing them allocates little.
	minEndedGoroutines = 256
)

// releaseIdleMemory returns freed memory to the operating system in the first idle second after a burst of work, or
// after many sockets were closed. The runtime would wait for the next burst or for two minutes, and thousands of idle
// subscriptions would take a tenth more memory meanwhile. It returns when ctx ends.
func releaseIdleMemory(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/sched/goroutines:goroutines"}}
	var timer releaseTimer
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		metrics.Read(samples)
		if timer.due(samples[0].Value.Uint64(), samples[1].Value.Uint64()) {
			debug.FreeOSMemory()
		}
	}
}

// releaseTimer decides when memory is released.
type releaseTimer struct {
	last, released uint64 // allocated bytes a second ago, and at the last release
	goroutines     uint64 // the most since the last release
}

// due is called each second with the bytes allocated so far and the number of goroutines. If it returns true, memory
// is released.
func (t *releaseTimer) due(allocated, goroutines uint64) bool {
	t.goroutines = max(t.goroutines, goroutines)
	idle := allocated-t.last < maxIdleAllocBytes
	t.last = allocated
	if !idle || allocated-t.released <= minReleaseBytes && t.goroutines-goroutines < minEndedGoroutines {
		return false
	}
	t.released, t.goroutines = allocated, goroutines
	return true
}
