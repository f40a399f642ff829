package relay

import "time"

// peerTTL is how long a silent replica's number is remembered: should it come
// back, the number tells whether anything was lost.
const peerTTL = time.Hour

// peers are the other replicas, as far as they were heard.
type peers struct {
	all map[string]*peer
	// timeout is how long a replica may be silent.
	timeout time.Duration
	// ownHeardAt is when this replica last heard itself.
	ownHeardAt time.Time
}

type peer struct {
	nextNumber uint64 // the number of its next batch
	heardAt    time.Time
	silent     bool
}

func newPeers(patience time.Duration) peers {
	return peers{all: map[string]*peer{}, timeout: patience}
}

// recordBatch reports whether batches are missing before this one. A replica that was not
// heard before is taken as it is: what it sent earlier was sent before our subscribers read their rows.
func (ps *peers) recordBatch(b batch, now time.Time) (missed bool) {
	p, known := ps.all[b.From]
	if !known {
		p = &peer{nextNumber: b.Number}
		ps.all[b.From] = p
	}
	missed = b.Number > p.nextNumber
	p.nextNumber = max(p.nextNumber, b.Number+1) // a batch may come twice
	p.heardAt, p.silent = now, false
	if b.Final {
		delete(ps.all, b.From)
	}
	return missed
}

// markSilent reports whether a replica has not been heard for too long: it died, perhaps
// with something left to say. When this replica does not even hear itself, it is the one cut off.
func (ps *peers) markSilent(now time.Time) bool {
	if now.Sub(ps.ownHeardAt) > ps.timeout {
		return false
	}
	found := false
	for id, p := range ps.all {
		quiet := now.Sub(p.heardAt)
		if quiet > ps.timeout && !p.silent {
			p.silent, found = true, true
		}
		if quiet > peerTTL {
			delete(ps.all, id)
		}
	}
	return found
}

func (ps *peers) clear() { clear(ps.all) }
