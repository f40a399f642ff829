package relay

import (
	"context"
	"encoding/json"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// sendTimeout bounds one attempt to send a batch, maxRetryTime all attempts.
	sendTimeout  = 5 * time.Second
	maxRetryTime = 10 * time.Second
	// minDelay and maxDelay bound the exponential backoff between attempts.
	minDelay = 50 * time.Millisecond
	maxDelay = 2 * time.Second
)

// sender sends the queue's events in batches, on one goroutine.
type sender struct {
	*Relay
	number   uint64
	lastSent time.Time
}

// run sends batches until Stop, heartbeats included, then the rest of the queue and a final batch.
func (s *sender) run() {
	defer close(s.stopped)
	s.sendBatch(false) // the heartbeat that Start waits for
	for s.waitForBatch() {
		s.sendBatch(false)
		s.checkPeers()
	}
	for s.sendCtx.Err() == nil {
		if waiting, _ := s.queue.status(0); !waiting {
			break
		}
		s.sendBatch(false)
	}
	s.sendBatch(true)
}

// waitForBatch waits until the next batch is due. It returns false when the relay stops.
func (s *sender) waitForBatch() bool {
	heartbeat := time.NewTimer(s.o.Heartbeat)
	defer heartbeat.Stop()
	for {
		waiting, due := s.queue.status(s.o.MaxPayload)
		pause := s.o.Interval - time.Since(s.lastSent)
		if due || waiting && pause <= 0 {
			return true
		}
		var interval <-chan time.Time
		if waiting {
			interval = time.After(pause)
		}
		select {
		case <-s.stopping:
			return false
		case <-heartbeat.C:
			return true
		case <-interval:
		case <-s.queue.wake:
		}
	}
}

// sendBatch sends one batch, with retries. If all fail the batch is dropped: by then it is better that the other
// replicas read the rows, which they do when its number is missing.
func (s *sender) sendBatch(final bool) {
	events, lost := s.queue.take(s.o.MaxPayload)
	s.number++
	payload, err := json.Marshal(batch{
		From:   s.id,
		Number: s.number,
		Sent:   time.Now().UnixMicro(),
		Lost:   lost,
		Final:  final,
		Events: events,
	})
	if err == nil {
		err = s.sendWithRetry(payload)
	}
	s.lastSent = time.Now()
	if err != nil {
		s.o.Logger.Warn("a batch could not be sent to the other replicas", "events", len(events), "error", err)
		s.dropped.Add(uint64(len(events)))
		return
	}
	s.batches.Add(1)
	s.sent.Add(uint64(len(events)))
}

func (s *sender) sendWithRetry(payload []byte) error {
	attempt := func() (struct{}, error) {
		err := s.sendOnce(payload)
		s.sendErr.Store(&err)
		return struct{}{}, err
	}
	delays := &backoff.ExponentialBackOff{
		InitialInterval:     minDelay,
		MaxInterval:         maxDelay,
		Multiplier:          2,
		RandomizationFactor: 0.5,
	}
	_, err := backoff.Retry(s.sendCtx, attempt, backoff.WithBackOff(delays), backoff.WithMaxElapsedTime(maxRetryTime))
	return err
}

func (s *sender) sendOnce(payload []byte) error {
	ctx, cancel := context.WithTimeout(s.sendCtx, sendTimeout)
	defer cancel()
	return s.send(ctx, payload)
}

// checkPeers resyncs when a replica has become silent.
func (s *sender) checkPeers() {
	s.mu.Lock()
	silent := s.peers.markSilent(time.Now())
	s.mu.Unlock()
	if silent {
		s.resync("a replica is silent")
	}
}
