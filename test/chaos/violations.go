package main

import (
	"fmt"
	"strings"
	"sync"
)

// violations collects violated requirements. It is safe for concurrent use and implements error.
type violations struct {
	mu      sync.Mutex
	list    []string
	omitted int
	first   chan struct{} // closed at the first violation
}

// maxViolations bounds the violations whose text is kept; further ones are counted.
const maxViolations = 10

func newViolations() *violations { return &violations{first: make(chan struct{})} }

func (v *violations) add(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.list) == 0 {
		close(v.first)
	}
	if len(v.list) == maxViolations {
		v.omitted++
		return
	}
	v.list = append(v.list, fmt.Sprintf(format, args...))
}

// err returns v if there is a violation, else nil.
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
	text := "violations:\n  " + strings.Join(v.list, "\n  ")
	if v.omitted > 0 {
		text += fmt.Sprintf("\n  and %d more", v.omitted)
	}
	return text
}
