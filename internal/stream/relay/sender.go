package relay

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"time"
)

const (
	// sendTimeout bounds one attempt to send a batch, keepTrying all attempts at it.
	sendTimeout  = 5 * time.Second
	maxRetryTime = 10 * time.Second
	firstPause   = 50 * time.Millisecond
	lastPause    = 2 * time.Second
)

// sender is the sending end's own state.
type sender struct {
	*Relay
	number   uint64
	lastSent time.Time // when the last batch was sent
}

// run sends until Stop: what waits, packed, and a heartbeat when nothing does.
func (s *sender) run() {
	defer close(s.stopped)
	s.sendBatch(false) // the first heartbeat, which Start waits to hear
	for s.waitForBatch() {
		s.sendBatch(false)
		s.checkPeers()
	}
	for s.sendCtx.Err() == nil {
		if waits, _ := s.queue.status(0); !waits {
			break
		}
		s.sendBatch(false)
	}
	s.sendBatch(true)
}

// waitForBatch waits for the time of the next batch; false means that it is time to stop.
func (s *sender) waitForBatch() bool {
	beat := time.NewTimer(s.o.Heartbeat)
	defer beat.Stop()
	for {
		waits, due := s.queue.status(s.o.MaxPayload)
		pause := s.o.Interval - time.Since(s.lastSent)
		if due || waits && pause <= 0 {
			return true
		}
		var ready <-chan time.Time
		if waits {
			ready = time.After(pause)
		}
		select {
		case <-s.stopping:
			return false
		case <-beat.C:
			return true
		case <-ready:
		case <-s.queue.wake:
		}
	}
}

// sendBatch sends one batch, again and again if need be. One that cannot be sent for a
// while is dropped: by then the others had better read the rows.
func (s *sender) sendBatch(bye bool) {
	events, lost := s.queue.take(s.o.MaxPayload)
	s.number++
	payload, err := json.Marshal(
		batch{From: s.id, Number: s.number, Sent: time.Now().UnixMicro(), Lost: lost, Final: bye, Events: events},
	)
	if err == nil {
		err = s.sendWithRetry(payload)
	}
	s.lastSent = time.Now()
	if err != nil {
		s.o.Logger.Warn("a batch could not be sent to the other replicas", "events", len(events), "error", err)
		s.dropped.Add(uint64(len(events))) // its number will be missed
		return
	}
	s.batches.Add(1)
	s.sent.Add(uint64(len(events)))
}

func (s *sender) sendWithRetry(payload []byte) error {
	giveUp := time.Now().Add(maxRetryTime)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := s.sendOnce(payload)
		s.sendErr.Store(&err)
		if err == nil || time.Now().After(giveUp) {
			return err
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-s.sendCtx.Done():
			return err
		}
	}
}

func (s *sender) sendOnce(payload []byte) error {
	ctx, cancel := context.WithTimeout(s.sendCtx, sendTimeout)
	defer cancel()
	return s.send(ctx, payload)
}

// checkPeers notices replicas that have gone without a word.
func (s *sender) checkPeers() {
	s.mu.Lock()
	silent := s.peers.markSilent(time.Now())
	s.mu.Unlock()
	if silent {
		s.resync("a replica has fallen silent")
	}
}
