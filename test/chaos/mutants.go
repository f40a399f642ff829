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

// mutant is a modification of the program that removes one protection. A run of the mutant must report a violation.
type mutant struct {
	name string
	// missing describes the removed protection.
	missing string
	// tag is a build tag that removes the protection. Without a tag, old is replaced by new in file.
	tag            string
	file, old, new string
	// detectedBy names the kinds of faults to inject; all kinds if empty.
	detectedBy []string
}

// mutants lists the mutants. It is an error if a text to replace does not occur exactly once: the program has changed,
// and the mutant must be adapted.
var mutants = []mutant{
	{
		name:       "fence",
		missing:    "the fence that checks a run's attempt",
		tag:        "unfenced",
		detectedBy: []string{"freeze"},
	},
	{
		name:       "epoch",
		missing:    "the check that drops events of superseded attempts",
		file:       "internal/stream/subscriber_state.go",
		old:        "case e.Attempt < r.attempt:",
		new:        "case e.Attempt < 0:",
		detectedBy: []string{"freeze"},
	},
	{
		name:    "gap",
		missing: "the detection of missing text",
		file:    "internal/stream/subscriber_state.go",
		old:     "case e.Offset > r.offset:\n\t\treturn false",
		new:     "case e.Offset > r.offset:\n\t\tr.offset = e.Offset",
	},
	{
		name:       "resync",
		missing:    "the resync from the rows after the bus has lost events",
		file:       "internal/stream/hub.go",
		old:        "func (h *Hub) Resync() {",
		new:        "func (h *Hub) Resync() {\n\tif h != nil {\n\t\treturn\n\t}",
		detectedBy: []string{"drop notifications"},
	},
	{
		name:    "order",
		missing: "the order of the runs of a conversation",
		file:    "internal/run/claim_query.go",
		old:     "WHERE r.position = r.earliest AND {claimable}",
		new:     "WHERE {claimable}",
	},
	{
		name:    "replay",
		missing: "the replay of recorded steps",
		file:    "internal/agent/turn.go",
		old:     "t.steps = recordedSteps(reply)",
		new:     "t.steps = recordedSteps(reply)[:0]",
	},
	{
		name:       "decided",
		missing:    "the check that a call is still undecided",
		file:       "internal/chat/approval.go",
		old:        "case c.Status != enum.ToolCallAwaiting:",
		new:        "case c.Status == \"\":",
		detectedBy: []string{"kill -9"},
	},
	{
		name:       "proposed version",
		missing:    "the check that a task has not changed since a change of it was proposed",
		file:       "internal/task/proposal.go",
		old:        "if before.Version != c.Version && x.firstVersion(c.TaskID) != c.Version {",
		new:        "if before.Version < 0 {",
		detectedBy: []string{"kill -9"},
	},
	{
		name:       "present value",
		missing:    "the check that a field has the value that the undone change left",
		file:       "internal/task/undo_fields.go",
		old:        "if !holds(&present, f) {",
		new:        "if !holds(&present, f) && f.Name == \"\" {",
		detectedBy: []string{"kill -9"},
	},
	{
		name:       "undone",
		missing:    "the check that a change is not undone already",
		file:       "internal/task/undo.go",
		old:        "if earlier := log.undoOf(c.ID); earlier != nil {",
		new:        "if earlier := log.undoOf(c.ID); earlier != nil && c.ID == \"\" {",
		detectedBy: []string{"kill -9"},
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

// flags returns the flags with which "go build" builds the mutant. It writes the changed source and an overlay file to
// dir; the source tree is not modified.
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
		return nil, fmt.Errorf(
			"mutant %s: the text to replace occurs %d times in %s, want once: %q",
			m.name,
			n,
			m.file,
			m.old,
		)
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

// maxSeeds is the number of seeds to try for a mutant: some violations depend on the timing of a fault.
const maxSeeds = 8

// runMutants runs each mutant and returns an error for each one that no run detects.
func runMutants(ctx context.Context, o options) error {
	var survived []error
	for _, m := range mutants {
		start := time.Now()
		err := m.mustFail(ctx, o)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			survived = append(survived, err)
			continue
		}
		fmt.Fprintf(o.Out, "ok: detected mutant %s, without %s (%s)\n",
			m.name, m.missing, time.Since(start).Round(time.Second))
	}
	return errors.Join(survived...)
}

// mustFail runs the mutant with successive seeds until a run reports a violation.
func (m mutant) mustFail(ctx context.Context, o options) error {
	o.Mutant = &m
	for range maxSeeds {
		err := runChaos(ctx, o)
		var found *violations
		switch {
		case errors.As(err, &found):
			fmt.Fprintln(o.Out, found)
			return nil
		case err != nil:
			return fmt.Errorf("running mutant %s: %w", m.name, err)
		}
		o.Seed++
	}
	return fmt.Errorf("mutant %s, without %s, was not detected: %s", m.name, m.missing, o.reproducer())
}
