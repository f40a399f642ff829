package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// mutant is the program without one of its fences.
type mutant struct {
	name string
	// lacks says what is missing, in words.
	lacks string
	// tag is a build tag that removes the fence; otherwise old becomes new in file.
	tag            string
	file, old, new string
	// shows names the faults that bring it to light; none means all of them.
	shows []string
}

// mutants are the fences, each removed in turn. A text that is not found exactly once is a
// fault: then the program has changed, and its mutant must follow.
var mutants = []mutant{
	{name: "fence", lacks: "effects check the attempt", tag: "unfenced", shows: []string{"freeze"}},
	{
		name: "epoch", lacks: "streams ignore text of attempts that were replaced", file: "internal/stream/view.go",
		old: "case e.Attempt < t.attempt:", new: "case e.Attempt < 0:", shows: []string{"freeze"},
	},
	{
		name: "gap", lacks: "streams notice missing text", file: "internal/stream/view.go",
		old: "case e.Offset > t.offset:\n\t\treturn false", new: "case e.Offset > t.offset:\n\t\tt.offset = e.Offset",
	},
	{
		name: "resync", lacks: "streams read the rows after the bus has lost events", file: "internal/stream/hub.go",
		old: "func (h *Hub) Resync() {", new: "func (h *Hub) Resync() {\n\tif h != nil {\n\t\treturn\n\t}",
		shows: []string{"deafen"},
	},
	{
		name: "order", lacks: "turns of a conversation wait for each other", file: "internal/run/claim.go",
		old: "AND earlier.state IN ('QUEUED', 'RUNNING'))", new: "AND earlier.state = 'NONE')",
	},
	{
		name: "replay", lacks: "recorded steps are replayed", file: "internal/agent/turn.go",
		old: "t.steps = recordedSteps(reply)", new: "t.steps = recordedSteps(reply)[:0]",
	},
}

func mutantNames() (names []string) {
	for _, m := range mutants {
		names = append(names, m.name)
	}
	return names
}

func findMutant(name string) (mutant, bool) {
	for _, m := range mutants {
		if m.name == name {
			return m, true
		}
	}
	return mutant{}, false
}

// flags are what "go build" needs to build the mutant. The sources stay as they are.
func (m mutant) flags(root, dir string) ([]string, error) {
	if m.tag != "" {
		return []string{"-tags", m.tag}, nil
	}
	path := filepath.Join(root, m.file)
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		return nil, fmt.Errorf("mutant %s: %d places in %s look like %q", m.name, n, m.file, m.old)
	}
	changed := filepath.Join(dir, "mutant.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
		return nil, err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		return nil, err
	}
	listing := filepath.Join(dir, "overlay.json")
	return []string{"-overlay", listing}, os.WriteFile(listing, overlay, 0o600)
}

// mutantTries is how many seeds a mutant may survive: some faults must hit a moment.
const mutantTries = 4

// runMutants fails if a run succeeds without one of the fences.
func runMutants(ctx context.Context, o options) error {
	var survived []error
	for _, m := range mutants {
		begun := time.Now()
		err := m.mustFail(ctx, o)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			survived = append(survived, err)
			continue
		}
		fmt.Fprintf(o.Out, "ok: unless %s, a run fails (%s)\n", m.lacks, time.Since(begun).Round(time.Second))
	}
	return errors.Join(survived...)
}

func (m mutant) mustFail(ctx context.Context, o options) error {
	o.Mutant = &m
	for range mutantTries {
		err := storm(ctx, o)
		var found *violations
		switch {
		case errors.As(err, &found):
			fmt.Fprintln(o.Out, found)
			return nil
		case err != nil:
			return fmt.Errorf("mutant %s could not be tried: %w", m.name, err)
		}
		o.Seed++
	}
	return fmt.Errorf("nothing fails although nothing makes sure that %s: %s", m.lacks, o.reproducer())
}
