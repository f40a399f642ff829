package main

import (
	"fmt"
	"strings"
	"sync"
)

// violations are what must not happen and did.
type violations struct {
	mu    sync.Mutex
	list  []string
	more  int
	first chan struct{} // closes with the first
}

// mostViolations are kept; one is enough to fail.
const mostViolations = 10

func newViolations() *violations { return &violations{first: make(chan struct{})} }

func (v *violations) add(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.list) == 0 {
		close(v.first)
	}
	if len(v.list) == mostViolations {
		v.more++
		return
	}
	v.list = append(v.list, fmt.Sprintf(format, args...))
}

// err is v if it holds any.
func (v *violations) err() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.list) == 0 {
		return nil
	}
	return v
}

// Error implements error.
func (v *violations) Error() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	text := "violated:\n  " + strings.Join(v.list, "\n  ")
	if v.more > 0 {
		text += fmt.Sprintf("\n  and %d more", v.more)
	}
	return text
}
