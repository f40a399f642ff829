package relay

import "time"

// forgetAfter is how long a silent replica's number is remembered: should it come
// back, the number tells whether anything was lost.
const forgetAfter = time.Hour

// peers are the other replicas, as far as they were heard.
type peers struct {
	all map[string]*peer
	// patience is how long a replica may be silent.
	patience time.Duration
	// self is when this replica last heard itself.
	self time.Time
}

type peer struct {
	next   uint64 // the number of its next batch
	heard  time.Time
	silent bool
}

func newPeers(patience time.Duration) peers {
	return peers{all: map[string]*peer{}, patience: patience}
}

// notice reports whether batches are missing before this one. A replica that was not
// heard before is taken as it is: what it sent earlier was sent before our subscribers read their rows.
func (ps *peers) notice(b batch, now time.Time) (missed bool) {
	p, known := ps.all[b.From]
	if !known {
		p = &peer{next: b.Number}
		ps.all[b.From] = p
	}
	missed = b.Number > p.next
	p.next = max(p.next, b.Number+1) // a batch may come twice
	p.heard, p.silent = now, false
	if b.Bye {
		delete(ps.all, b.From)
	}
	return missed
}

// fallSilent reports whether a replica has not been heard for too long: it died, perhaps
// with something left to say. When this replica does not even hear itself, it is the one cut off.
func (ps *peers) fallSilent(now time.Time) bool {
	if now.Sub(ps.self) > ps.patience {
		return false
	}
	found := false
	for id, p := range ps.all {
		quiet := now.Sub(p.heard)
		if quiet > ps.patience && !p.silent {
			p.silent, found = true, true
		}
		if quiet > forgetAfter {
			delete(ps.all, id)
		}
	}
	return found
}

func (ps *peers) forget() { clear(ps.all) }
