package offline

import (
	"time"

	"errand/internal/offline/intent"
)

// The budget of one turn. The agent allows 8 steps and 16 calls; the last step is for the text.
const (
	maxRounds = 7
	maxCalls  = 16
)

// job carries out one request. want returns the tool calls to make next, none when the job is over; it may be
// called again before their results are in. outcome is valid when want returned none or when the budget is spent.
type job interface {
	want(m *memory) []ask
	// alone jobs wait until all jobs before them are over.
	alone() bool
	outcome() outcome
}

// play goes through one turn.
type play struct {
	now  time.Time
	turn turn
	mem  memory
	// allowed tells which tools may be called in new steps; nil allows all.
	allowed func(name string) bool

	jobs     []job
	over     []bool
	absorbed int
	first    bool
	calls    int
}

// verdict is how a turn stands.
type verdict struct {
	// calls are to be made next; none when reply is final.
	calls []ask
	reply string
	mem   memory
}

// run plays the recorded rounds against the plan, up to the first step that is not recorded. A turn with calls
// that this model would not have made was begun by another one: it ends with what its results say.
func (p *play) run() verdict {
	p.first = true
	requests := p.requests()
	p.mem.open = nil
	p.jobs = p.plan(requests)
	p.over = make([]bool, len(p.jobs))
	for r := 0; ; {
		asks := p.gather()
		switch {
		case r < len(p.turn.rounds) && !p.replay(asks, p.turn.rounds[r]):
			return verdict{reply: recite(p.turn, p.now), mem: fromRecord(p.mem, p.turn)}
		case r < len(p.turn.rounds):
			r++
		case len(asks) == 0 || r == maxRounds:
			return p.finish(requests)
		case !p.refuse(asks):
			return verdict{calls: asks, mem: p.mem}
		}
	}
}

// gather collects the calls of the next round. Jobs go in order; a later one joins only when it neither leans on
// an earlier one nor mixes reading with writing, so that what is read is never older than what was asked before.
func (p *play) gather() []ask {
	var asks []ask
	for i, j := range p.jobs {
		if p.over[i] {
			continue
		}
		p.absorbUpTo(i)
		if j.alone() && p.absorbed < i {
			break
		}
		wanted := j.want(&p.mem)
		if len(wanted) == 0 {
			p.over[i] = true
			continue
		}
		if len(asks) > 0 && asks[0].reads() != wanted[0].reads() {
			break
		}
		asks = append(asks, wanted...)
	}
	p.absorbUpTo(len(p.jobs))
	return asks[:min(len(asks), maxCalls-p.calls)]
}

// absorbUpTo remembers the outcomes of jobs before n, in order, as far as they are over.
func (p *play) absorbUpTo(n int) {
	for p.absorbed < n && p.over[p.absorbed] {
		o := p.jobs[p.absorbed].outcome()
		p.mem.absorb(o, p.first)
		p.first = p.first && len(o.touched) == 0
		p.absorbed++
	}
}

// noTools says why a call is not made, by whether any was made before in this turn.
var noTools = map[bool]string{
	true:  "There are no steps left for it in this turn.",
	false: "I cannot reach the task list right now.",
}

// refuse answers calls to tools that are not offered; the job then reports the failure.
func (p *play) refuse(asks []ask) bool {
	refused := false
	for _, a := range asks {
		if p.allowed != nil && !p.allowed(a.name) {
			a.take(failure(noTools[len(p.turn.rounds) > 0]))
			refused = true
		}
	}
	return refused
}

// replay hands recorded results to the calls that asked for them.
func (p *play) replay(asks []ask, recorded round) bool {
	if len(asks) != len(recorded) {
		return false
	}
	for i, a := range asks {
		if a.name != recorded[i].name {
			return false
		}
	}
	for i, a := range asks {
		if recorded[i].result == nil {
			a.take(failure("There is no result on record."))
			continue
		}
		a.take(*recorded[i].result)
	}
	p.calls += len(asks)
	return true
}

func (p *play) finish(requests []intent.Request) verdict {
	var outcomes []outcome
	for i, j := range p.jobs {
		o := j.outcome()
		if i >= p.absorbed {
			p.mem.absorb(o, p.first)
			p.first = p.first && len(o.touched) == 0
		}
		outcomes = append(outcomes, o)
	}
	p.mem.added = onlyAdded(p.jobs)
	p.mem.endTurn()
	return verdict{reply: compose(requests, outcomes), mem: p.mem}
}

// Turns before the last are played again to learn whether they ended in a question. Of older ones, and
// of very long messages, the results tell enough; that also bounds the work.
const (
	replayed    = 8
	replayedMax = 2000 // bytes of a message
)

// converse plays the turns and returns how the last one stands.
func converse(turns []turn, now time.Time, allowed func(string) bool) verdict {
	v := verdict{reply: talk[intent.Greeting]} // nobody has said anything yet
	for i, t := range turns {
		p := play{now: now, turn: t, mem: v.mem}
		last := i == len(turns)-1
		if i < len(turns)-1-replayed || !last && len(t.said) > replayedMax {
			v = verdict{mem: fromRecord(v.mem, t)}
			continue
		}
		if last {
			p.allowed = allowed
		}
		before := v.mem
		v = p.run()
		if !last && (len(v.calls) > 0 || !t.answered) {
			v = verdict{mem: fromRecord(before, t)} // cut short: no question reached the person
		}
	}
	return v
}
