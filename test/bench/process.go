package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"errand/internal/testdb/cluster"
)

// clockTick is the unit of the times in /proc, the same on all Linux platforms.
const clockTick = 10 * time.Millisecond

// postgresPID returns the process ID of the database server.
func postgresPID(c *cluster.Cluster) (int, error) {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(c.Log()), "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(first)
}

// cpuTime returns the CPU time that a process and its child processes have used, 0 where there is no /proc.
func cpuTime(pid int) time.Duration {
	total := processTime(pid)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is valid
	for _, path := range stats {
		if fields := statFields(path); len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			total += processTime(child)
		}
	}
	return total
}

// processTime returns the CPU time of a process and of its children that have ended.
func processTime(pid int) time.Duration {
	fields := statFields(fmt.Sprintf("/proc/%d/stat", pid))
	if len(fields) < 15 {
		return 0
	}
	ticks := 0
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		n, _ := strconv.Atoi(field)
		ticks += n
	}
	return time.Duration(ticks) * clockTick
}

// statFields returns the fields of a stat file after the name of the program, from the state on.
func statFields(path string) []string {
	stat, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
}

// memory is the resident memory of a process, and its highest value, in MiB.
type memory struct{ now, peak float64 }

func residentMemory(pid int) (m memory) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		for name, value := range map[string]*float64{"VmRSS:": &m.now, "VmHWM:": &m.peak} {
			if rest, ok := strings.CutPrefix(line, name); ok {
				kib, _ := strconv.Atoi(strings.Fields(rest)[0])
				*value = float64(kib) / 1024
			}
		}
	}
	return m
}

// settledMemory waits until the memory has not shrunk for some time.
func settledMemory(pid int, quiet time.Duration) memory {
	for last := residentMemory(pid); ; {
		<-time.After(quiet)
		now := residentMemory(pid)
		if now.now >= last.now {
			return now
		}
		last = now
	}
}

// machine describes the computer and the date of the measurement.
func machine() string {
	model := runtime.GOARCH
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%s, %s, %d cores (%s), shared by clients, servers and database",
		time.Now().Format(time.DateOnly), runtime.Version(), runtime.NumCPU(), model)
}
