package relay

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"time"
)

const (
	// sendTimeout bounds one attempt to send a batch, keepTrying all attempts at it.
	sendTimeout = 5 * time.Second
	keepTrying  = 10 * time.Second
	firstPause  = 50 * time.Millisecond
	lastPause   = 2 * time.Second
)

// sender is the sending end's own state.
type sender struct {
	*Relay
	number uint64
	last   time.Time // when the last batch was sent
}

// run sends until Stop: what waits, packed, and a heartbeat when nothing does.
func (s *sender) run() {
	defer close(s.stopped)
	s.transmit(false) // the first heartbeat, which Start waits to hear
	for s.rest() {
		s.transmit(false)
		s.lookAround()
	}
	for s.working.Err() == nil {
		if waits, _ := s.box.state(0); !waits {
			break
		}
		s.transmit(false)
	}
	s.transmit(true)
}

// rest waits for the time of the next batch; false means that it is time to stop.
func (s *sender) rest() bool {
	beat := time.NewTimer(s.o.Heartbeat)
	defer beat.Stop()
	for {
		waits, due := s.box.state(s.o.MaxPayload)
		pause := s.o.Interval - time.Since(s.last)
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
		case <-s.box.wake:
		}
	}
}

// transmit sends one batch, again and again if need be. One that cannot be sent for a
// while is dropped: by then the others had better read the rows.
func (s *sender) transmit(bye bool) {
	events, lost := s.box.take(s.o.MaxPayload)
	s.number++
	payload, err := json.Marshal(
		batch{From: s.id, Number: s.number, Sent: time.Now().UnixMicro(), Lost: lost, Bye: bye, Events: events},
	)
	if err == nil {
		err = s.insist(payload)
	}
	s.last = time.Now()
	if err != nil {
		s.o.Logger.Warn("a batch could not be sent to the other replicas", "events", len(events), "error", err)
		s.dropped.Add(uint64(len(events))) // its number will be missed
		return
	}
	s.batches.Add(1)
	s.sent.Add(uint64(len(events)))
}

func (s *sender) insist(payload []byte) error {
	giveUp := time.Now().Add(keepTrying)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := s.try(payload)
		s.fault.Store(&err)
		if err == nil || time.Now().After(giveUp) {
			return err
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-s.working.Done():
			return err
		}
	}
}

func (s *sender) try(payload []byte) error {
	ctx, cancel := context.WithTimeout(s.working, sendTimeout)
	defer cancel()
	return s.send(ctx, payload)
}

// lookAround notices replicas that have gone without a word.
func (s *sender) lookAround() {
	s.mu.Lock()
	silent := s.peers.fallSilent(time.Now())
	s.mu.Unlock()
	if silent {
		s.resync("a replica has fallen silent")
	}
}
