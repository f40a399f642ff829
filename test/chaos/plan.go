package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// plan is what a turn shall do: the titles of the tasks to add, step by step. It is written
// into the message, so that the model needs no memory.
type plan struct {
	turn  string
	steps [][]string
}

// newPlan makes a turn of up to three steps with up to three tasks each.
func newPlan(random *rand.Rand, turn string) plan {
	p := plan{turn: turn}
	n := 0
	for range random.IntN(4) {
		var titles []string
		for range 1 + random.IntN(3) {
			n++
			titles = append(titles, fmt.Sprintf("%s-%d", turn, n))
		}
		p.steps = append(p.steps, titles)
	}
	return p
}

// message is the plan as a person says it.
func (p plan) message() string {
	steps := make([]string, len(p.steps))
	for i, titles := range p.steps {
		steps[i] = strings.Join(titles, " ")
	}
	return strings.TrimSpace("turn " + p.turn + ": " + strings.Join(steps, "; "))
}

// parsePlan reads a message back; false when it is none of ours.
func parsePlan(message string) (plan, bool) {
	head, tail, found := strings.Cut(message, ": ")
	turn, ours := strings.CutPrefix(head, "turn ")
	if !found && !strings.HasSuffix(head, ":") || !ours {
		return plan{}, false
	}
	p := plan{turn: strings.TrimSuffix(turn, ":")}
	for step := range strings.SplitSeq(tail, ";") {
		if titles := strings.Fields(step); len(titles) > 0 {
			p.steps = append(p.steps, titles)
		}
	}
	return p, true
}

// step is what comes after so many tool results: the titles to add next, none when the turn
// is done. False means that such a number of results cannot be.
func (p plan) step(results int) (titles []string, ok bool) {
	for _, s := range p.steps {
		if results == 0 {
			return s, true
		}
		if results < len(s) {
			return nil, false
		}
		results -= len(s)
	}
	return nil, results == 0
}

// titles are all of them.
func (p plan) titles() (all []string) {
	for _, s := range p.steps {
		all = append(all, s...)
	}
	return all
}
