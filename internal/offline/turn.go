package offline

import (
	"iter"
	"slices"

	"errand/internal/due"
	"errand/internal/offline/intent"
	"errand/internal/offline/language"
)

// Limits of one turn. The agent allows 8 steps and 16 calls; the last step writes the text.
const (
	maxRounds = 7
	maxCalls  = 16
)

// action is one part of a plan. run depends only on the results of its tool calls: it runs again in each step of the
// turn, with the recorded results.
type action struct {
	said string
	run  func(m *memory, call caller) outcome
	// exclusive actions wait until all actions before them are finished.
	exclusive bool

	next    func() ([]toolCall, bool)
	stop    func()
	wanted  []toolCall // calls without results
	results []toolResult
	done    bool
	outcome outcome
}

// caller makes tool calls in one round and returns their results.
type caller func(...toolCall) []toolResult

func (c caller) one(name string, args map[string]any) toolResult { return c(toolCall{name, args})[0] }

// calls returns the calls whose results the action needs, no calls once it is finished.
func (a *action) calls(m *memory) []toolCall {
	if a.next == nil {
		a.next, a.stop = iter.Pull(func(yield func([]toolCall) bool) {
			a.outcome = a.run(m, func(calls ...toolCall) []toolResult {
				if len(calls) > 0 && yield(calls) {
					return a.results
				}
				return slices.Repeat([]toolResult{failure("")}, len(calls)) // stopped: the outcome is not used
			})
		})
	}
	if len(a.wanted) == 0 && !a.done {
		wanted, ok := a.next()
		a.wanted, a.done = wanted, !ok
	}
	return a.wanted
}

// turnRun runs one turn and compares its calls with the recorded ones.
type turnRun struct {
	voice
	read   *reader
	turn   turn
	memory memory
	// allowed returns which tools may be called in new steps; nil allows all.
	allowed func(name string) bool

	// again is the open question, if the message does not answer it.
	again      *question
	actions    []*action
	remembered int
	callCount  int
}

// turnResult is the state of a turn: calls to make, or the final reply.
type turnResult struct {
	// calls are the next tool calls; empty when reply is final.
	calls []toolCall
	reply string
	mem   memory
}

// run applies the recorded rounds to the plan, up to the first step that is not recorded. Recorded calls that this
// model would not have made come from another model: the turn then ends, and the reply says so.
func (e *turnRun) run() turnResult {
	message := e.understand()
	e.memory.open = e.again
	e.memory.begun = false
	p := planner{voice: e.voice, memory: &e.memory}
	if e.actions = p.plan(message); e.again != nil {
		e.actions = []*action{p.repeat(e.again)}
	}
	defer func() {
		for _, a := range e.actions {
			if a.stop != nil {
				a.stop()
			}
		}
	}()
	for r := 0; ; {
		waiting, calls := e.round()
		switch {
		case r < len(e.turn.rounds) && !e.replay(waiting, calls, e.turn.rounds[r]):
			return turnResult{reply: e.words.Say("not-finished"), mem: fromRecord(e.memory, e.turn)}
		case r < len(e.turn.rounds):
			r++
		case len(calls) == 0 || r == maxRounds:
			return e.finish(message)
		case !e.refused(waiting):
			return turnResult{calls: calls, mem: e.memory}
		}
	}
}

// round returns the calls of the next round and the actions that wait for them. Actions run in order. A later one joins
// the round only when it is not exclusive and does not mix reads with writes, so that no read is older than a change
// requested before it.
func (e *turnRun) round() (waiting []*action, calls []toolCall) {
	for i, a := range e.actions {
		if e.rememberUpTo(i); a.exclusive && e.remembered < i {
			break
		}
		wanted := a.calls(&e.memory)
		if len(wanted) == 0 {
			continue
		}
		if len(calls) > 0 && calls[0].isRead() != wanted[0].isRead() || e.callCount+len(calls)+len(wanted) > maxCalls {
			break
		}
		waiting, calls = append(waiting, a), append(calls, wanted...)
	}
	e.rememberUpTo(len(e.actions))
	return waiting, calls
}

// rememberUpTo stores the outcomes of the finished actions before n in the memory, in order.
func (e *turnRun) rememberUpTo(n int) {
	for ; e.remembered < n && e.actions[e.remembered].done; e.remembered++ {
		e.memory.remember(e.actions[e.remembered].outcome)
	}
}

// answer passes results to an action.
func (a *action) answer(results []toolResult) { a.results, a.wanted = results, nil }

// refused fails the actions whose tools are not offered. It reports whether there are any.
func (e *turnRun) refused(waiting []*action) (any bool) {
	reason := "I cannot reach the task list right now."
	if len(e.turn.rounds) > 0 {
		reason = "There are no steps left for it in this turn."
	}
	for _, a := range waiting {
		if e.allowed != nil && slices.ContainsFunc(a.wanted, func(c toolCall) bool { return !e.allowed(c.name) }) {
			a.answer(slices.Repeat([]toolResult{failure(reason)}, len(a.wanted)))
			any = true
		}
	}
	return any
}

// replay passes recorded results to the actions. It returns false when the recorded calls differ from calls.
func (e *turnRun) replay(waiting []*action, calls []toolCall, recorded round) bool {
	if !slices.EqualFunc(calls, recorded, func(c toolCall, r recordedCall) bool { return c.name == r.name }) {
		return false
	}
	results := make([]toolResult, len(calls))
	for i, r := range recorded {
		results[i] = failure("There is no result on record.")
		if r.result != nil {
			results[i] = *r.result
		}
	}
	e.callCount += len(calls)
	for _, a := range waiting {
		n := len(a.wanted)
		a.answer(results[:n])
		results = results[n:]
	}
	return true
}

// finish returns the reply. Actions beyond the limits of the turn are not done.
func (e *turnRun) finish(m intent.Message) turnResult {
	var outcomes []outcome
	var open []*question
	onlyAdded := len(e.actions) > 0
	for i, a := range e.actions {
		o := a.outcome
		if !a.done {
			o = outcome{lines: []string{e.words.Say("not-reached", quote(a.said))}}
		}
		if i >= e.remembered {
			e.memory.remember(o)
		}
		if o.question != nil {
			open = append(open, o.question)
		}
		outcomes = append(outcomes, o)
		onlyAdded = onlyAdded && o.changed == intent.Add
	}
	e.memory.added = onlyAdded
	if q := joined(open); q != nil {
		e.memory.open = q
	}
	e.memory.endTurn()
	return turnResult{reply: e.compose(m, outcomes), mem: e.memory}
}

// joined merges the questions of a reply into one that a yes answers. It returns nil if one needs another answer.
func joined(questions []*question) *question {
	if len(questions) < 2 {
		return nil
	}
	all := question{confirm: true}
	for _, q := range questions {
		if !q.confirm {
			return nil
		}
		all.requests = append(all.requests, q.requests...)
	}
	return &all
}

// Recent turns are replayed to find out whether they ended in a question. Older turns, and those before the bound of
// characters, are summarized from their results, which bounds the work.
const (
	replayed      = 8
	replayedBytes = 2000 // of all messages together
)

// replayTurns executes the turns in order and returns the result of the last one.
func replayTurns(read *reader, turns []turn, now due.Now, allowed func(string) bool) turnResult {
	v := turnResult{reply: (*language.Language)(nil).Say("greeting")} // the conversation is empty
	first := firstReplayed(turns)
	for i, t := range turns {
		if i < first {
			v = turnResult{mem: fromRecord(v.mem, t)}
			continue
		}
		run := turnRun{voice: voice{now: now}, read: read, turn: t, memory: v.mem}
		last := i == len(turns)-1
		if last {
			run.allowed = allowed
		}
		before := v.mem
		v = run.run()
		if !last && (len(v.calls) > 0 || !t.answered) {
			v = turnResult{mem: fromRecord(before, t)} // interrupted: its question was never sent
		}
	}
	return v
}

// firstReplayed returns the index of the first turn that is replayed. The last turn always is.
func firstReplayed(turns []turn) int {
	i, total := len(turns)-1, 0
	for ; i > 0 && i >= len(turns)-replayed; i-- {
		if total += len(turns[i-1].message); total > replayedBytes {
			break
		}
	}
	return max(0, i)
}
