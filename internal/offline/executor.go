package offline

import (
	"errand/internal/due"
	"errand/internal/offline/intent"
)

// Limits of one turn. The agent allows 8 steps and 16 calls; the last step writes the text.
const (
	maxRounds = 7
	maxCalls  = 16
)

// action executes one request. nextCalls returns the tool calls to make next, none when the action is
// finished; it may be called again before their results are known. outcome is valid once nextCalls returned none
// or the limits of the turn are reached.
type action interface {
	nextCalls(m *memory) []toolCall
	// exclusive actions wait until all actions before them are finished.
	exclusive() bool
	outcome() outcome
}

// planExecutor plans one turn and compares the plan with its recorded steps.
type planExecutor struct {
	now    due.Now
	turn   turn
	memory memory
	// allowed returns which tools may be called in new steps; nil allows all.
	allowed func(name string) bool

	actions      []action
	finished     []bool
	remembered   int
	firstOutcome bool
	callCount    int
}

// planResult is the state of a turn: calls to make, or the final reply.
type planResult struct {
	// calls are the next tool calls; empty when reply is final.
	calls []toolCall
	reply string
	mem   memory
}

// run applies the recorded rounds to the plan, up to the first step that is not recorded. Recorded calls
// that this model would not have made come from another model: the turn then ends with a summary of its results.
func (e *planExecutor) run() planResult {
	e.firstOutcome = true
	requests := e.requests()
	e.memory.open = nil
	e.actions = e.plan(requests)
	e.finished = make([]bool, len(e.actions))
	for r := 0; ; {
		calls := e.collectCalls()
		switch {
		case r < len(e.turn.rounds) && !e.applyRecorded(calls, e.turn.rounds[r]):
			return planResult{reply: summarizeRecorded(e.turn, e.now.Time), mem: fromRecord(e.memory, e.turn)}
		case r < len(e.turn.rounds):
			r++
		case len(calls) == 0 || r == maxRounds:
			return e.finish(requests)
		case !e.rejectUnavailable(calls):
			return planResult{calls: calls, mem: e.memory}
		}
	}
}

// collectCalls collects the calls of the next round. Actions run in order. A later one joins the round only when
// it is not exclusive and does not mix reads with writes, so that no read is older than a change requested before it.
func (e *planExecutor) collectCalls() []toolCall {
	var calls []toolCall
	for i, j := range e.actions {
		if e.finished[i] {
			continue
		}
		e.rememberUpTo(i)
		if j.exclusive() && e.remembered < i {
			break
		}
		wanted := j.nextCalls(&e.memory)
		if len(wanted) == 0 {
			e.finished[i] = true
			continue
		}
		if len(calls) > 0 && calls[0].isRead() != wanted[0].isRead() {
			break
		}
		calls = append(calls, wanted...)
	}
	e.rememberUpTo(len(e.actions))
	return calls[:min(len(calls), maxCalls-e.callCount)]
}

// rememberUpTo stores the outcomes of the finished actions before n in the memory, in order.
func (e *planExecutor) rememberUpTo(n int) {
	for e.remembered < n && e.finished[e.remembered] {
		o := e.actions[e.remembered].outcome()
		e.memory.remember(o, e.firstOutcome)
		e.firstOutcome = e.firstOutcome && len(o.touched) == 0
		e.remembered++
	}
}

// unavailableReason is the error for a call that is not made, keyed by whether the turn already made calls.
var unavailableReason = map[bool]string{
	true:  "There are no steps left for it in this turn.",
	false: "I cannot reach the task list right now.",
}

// rejectUnavailable fails the calls of tools that are not offered; their actions report the failure.
func (e *planExecutor) rejectUnavailable(calls []toolCall) bool {
	refused := false
	for _, a := range calls {
		if e.allowed != nil && !e.allowed(a.name) {
			a.onResult(failure(unavailableReason[len(e.turn.rounds) > 0]))
			refused = true
		}
	}
	return refused
}

// applyRecorded passes recorded results to their calls. It returns false when the recorded calls differ from calls.
func (e *planExecutor) applyRecorded(calls []toolCall, recorded round) bool {
	if len(calls) != len(recorded) {
		return false
	}
	for i, a := range calls {
		if a.name != recorded[i].name {
			return false
		}
	}
	for i, a := range calls {
		if recorded[i].result == nil {
			a.onResult(failure("There is no result on record."))
			continue
		}
		a.onResult(*recorded[i].result)
	}
	e.callCount += len(calls)
	return true
}

func (e *planExecutor) finish(requests []intent.Request) planResult {
	var outcomes []outcome
	for i, j := range e.actions {
		o := j.outcome()
		if i >= e.remembered {
			e.memory.remember(o, e.firstOutcome)
			e.firstOutcome = e.firstOutcome && len(o.touched) == 0
		}
		outcomes = append(outcomes, o)
	}
	e.memory.added = onlyAdded(e.actions)
	e.memory.endTurn()
	return planResult{reply: compose(requests, outcomes), mem: e.memory}
}

// Recent turns are replayed to find out whether they ended in a question. Older turns and very long
// messages are summarized from their results, which bounds the work.
const (
	replayed    = 8
	replayedMax = 2000 // bytes of a message
)

// replayTurns executes the turns in order and returns the result of the last one.
func replayTurns(turns []turn, now due.Now, allowed func(string) bool) planResult {
	v := planResult{reply: talk[intent.Greeting]} // the conversation is empty
	for i, t := range turns {
		p := planExecutor{now: now, turn: t, memory: v.mem}
		last := i == len(turns)-1
		if i < len(turns)-1-replayed || !last && len(t.message) > replayedMax {
			v = planResult{mem: fromRecord(v.mem, t)}
			continue
		}
		if last {
			p.allowed = allowed
		}
		before := v.mem
		v = p.run()
		if !last && (len(v.calls) > 0 || !t.answered) {
			v = planResult{mem: fromRecord(before, t)} // interrupted: its question was never sent
		}
	}
	return v
}
