package relay

import (
	"sync/atomic"
	"time"
)

// Stats are a relay's counters since its start.
type Stats struct {
	// Sent and Received count events; those received are of other replicas. Text is sent in
	// pieces of 1000 bytes, each of which counts.
	Sent, Received uint64
	// Batches counts what was handed to the transport, heartbeats included.
	Batches uint64
	// Dropped counts events that could not be sent in time.
	Dropped uint64
	// Reconnects counts how often the receiving end was cut off and came back.
	Reconnects uint64
	// Resyncs counts how often all subscribers were told to read their rows.
	Resyncs uint64
	// Lag is the age of the newest foreign batch on its arrival.
	Lag time.Duration
}

type stats struct {
	sent, received, batches, dropped, reconnects, resyncs atomic.Uint64
	lag                                                   atomic.Int64
	sendErr                                               atomic.Pointer[error]
}

// Stats reads the counters.
func (s *stats) Stats() Stats {
	return Stats{
		Sent: s.sent.Load(), Received: s.received.Load(), Batches: s.batches.Load(), Dropped: s.dropped.Load(),
		Reconnects: s.reconnects.Load(), Resyncs: s.resyncs.Load(), Lag: time.Duration(s.lag.Load()),
	}
}

// lastSendErr is why the last attempt to send failed; nil when it did not.
func (s *stats) lastSendErr() error {
	if err := s.sendErr.Load(); err != nil {
		return *err
	}
	return nil
}
