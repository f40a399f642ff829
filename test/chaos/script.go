package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// script lists the tasks that a turn adds: their titles, by model step. The user message contains the script, so the
// scripted model is stateless.
type script struct {
	turn  string
	steps [][]string
}

// newScript returns a random script of up to three steps with up to three tasks each.
func newScript(random *rand.Rand, turn string) script {
	s := script{turn: turn}
	n := 0
	for range random.IntN(4) {
		var titles []string
		for range 1 + random.IntN(3) {
			n++
			titles = append(titles, fmt.Sprintf("%s-%d", turn, n))
		}
		s.steps = append(s.steps, titles)
	}
	return s
}

// message encodes the script as the content of a user message.
func (s script) message() string {
	steps := make([]string, len(s.steps))
	for i, titles := range s.steps {
		steps[i] = strings.Join(titles, " ")
	}
	return strings.TrimSpace("turn " + s.turn + ": " + strings.Join(steps, "; "))
}

// parseScript decodes a message. It returns false for a message that contains no script.
func parseScript(message string) (script, bool) {
	head, tail, found := strings.Cut(message, ": ")
	turn, isScript := strings.CutPrefix(head, "turn ")
	if !found && !strings.HasSuffix(head, ":") || !isScript {
		return script{}, false
	}
	s := script{turn: strings.TrimSuffix(turn, ":")}
	for step := range strings.SplitSeq(tail, ";") {
		if titles := strings.Fields(step); len(titles) > 0 {
			s.steps = append(s.steps, titles)
		}
	}
	return s, true
}

// step returns the titles to add after a number of tool results, none if the script is complete. It returns false if
// no sequence of complete steps has that number of results.
func (s script) step(results int) (titles []string, ok bool) {
	for _, titles := range s.steps {
		if results == 0 {
			return titles, true
		}
		if results < len(titles) {
			return nil, false
		}
		results -= len(titles)
	}
	return nil, results == 0
}

// titles returns the titles of all steps.
func (s script) titles() (all []string) {
	for _, titles := range s.steps {
		all = append(all, titles...)
	}
	return all
}
