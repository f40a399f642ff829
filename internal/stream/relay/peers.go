package relay

import "time"

// peerTTL is how long the number of a silent replica is kept: if the replica returns, the number shows whether batches
// were lost.
const peerTTL = time.Hour

// peers holds the other replicas from which batches were received.
type peers struct {
	all map[string]*peer
	// timeout is the time without a batch after which a replica counts as silent.
	timeout time.Duration
	// ownHeardAt is when this replica last received its own batch.
	ownHeardAt time.Time
	// unreadable reports that events of a newer version have arrived since unreadableAt, when they were last reported.
	unreadable   bool
	unreadableAt time.Time
}

type peer struct {
	nextNumber uint64 // expected number of its next batch
	heardAt    time.Time
	silent     bool
}

func newPeers(patience time.Duration) peers {
	return peers{all: map[string]*peer{}, timeout: patience}
}

// recordBatch reports whether batches are missing before b. The first batch of a replica may have any number: what was
// sent before it was sent before the subscribers here read their rows.
func (ps *peers) recordBatch(b batch, now time.Time) (missed bool) {
	p, known := ps.all[b.From]
	if !known {
		p = &peer{nextNumber: b.Number}
		ps.all[b.From] = p
	}
	missed = b.Number > p.nextNumber
	p.nextNumber = max(p.nextNumber, b.Number+1) // a batch may be repeated
	p.heardAt, p.silent = now, false
	if b.Final {
		delete(ps.all, b.From)
	}
	return missed
}

// recordUnreadable reports whether events of a newer version have arrived that were not reported yet. It does so at
// most once in an interval, so that a busy replica of a newer version does not make all subscribers read their rows for
// each batch. The batches that every replica sends in each heartbeat interval report the last ones.
func (ps *peers) recordUnreadable(b batch, now time.Time, interval time.Duration) bool {
	ps.unreadable = ps.unreadable || b.Version > batchVersion && len(b.Events) > 0
	if !ps.unreadable || !b.Final && now.Sub(ps.unreadableAt) < interval {
		return false
	}
	ps.unreadable, ps.unreadableAt = false, now
	return true
}

// markSilent reports whether a replica has newly become silent: it has probably stopped, perhaps with unsent events. If
// this replica does not receive its own batches either, its own connection is interrupted and nothing is reported.
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
