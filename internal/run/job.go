package run

import (
	"context"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
)

// Job is one claim of a run: what a Handler is given to do. It is a value; it stays
// what it was when the run moves on, which is what makes a late writer recognisable.
type Job struct {
	RunID          string
	UserID         string
	ConversationID string
	// MessageID is the reply to write.
	MessageID string
	// Position is the reply's place in the conversation.
	Position int
	// Attempt counts the run's claims, from 1: the fencing token and the epoch of the reply's text.
	Attempt int
	// Failures is how many earlier attempts failed or were lost; hand-overs do not count.
	Failures int
}

// Handler does one attempt of a job. Its context carries the job's user as viewer and is
// cancelled with the cause ErrLeaseLost, ErrCancelled or ErrShutdown (context.Cause).
//
// It returns nil when it has called Finish. Otherwise:
// on ErrShutdown the run is handed over to another replica, whatever the handler returns;
// on ErrCancelled it should Finish as CANCELLED with the text so far, and if it does not,
// the engine does so with the text last stored; after ErrLeaseLost nothing more can be written;
// an error made by Fail ends the run as FAILED; one made by Retry tries again after
// its delay; any other error, and a panic, tries again after a growing delay, up to Options.MaxAttempts failures.
// The text of an error is logged, so it must hold nothing that people or models wrote.
type Handler func(ctx context.Context, job Job) error

// Outcome is how a run ends.
type Outcome struct {
	// Status is COMPLETED, FAILED or CANCELLED.
	Status enum.MessageStatus
	// ErrorCode says why; FAILED only.
	ErrorCode apperr.Code
	// Effects, when set, runs inside the terminal transaction, after the fence and before the
	// message is updated.
	Effects func(ctx context.Context, tx *ent.Tx) error
}

// AttemptResult says how one attempt ended, or how a run ended without one.
type AttemptResult string

// The ends of an attempt.
const (
	ResultCompleted  AttemptResult = "completed"
	ResultFailed     AttemptResult = "failed"
	ResultCancelled  AttemptResult = "cancelled"
	ResultRetried    AttemptResult = "retried"
	ResultHandedOver AttemptResult = "handed_over"
	ResultLeaseLost       AttemptResult = "lost"
)

// Observer is told what the engine does, after it is committed. It serves metrics, and tests as the
// signals they wait on. Calls come from many goroutines and must return quickly.
type Observer interface {
	// AttemptStarted reports the start of an attempt, and how long the run had been claimable or queued behind its conversation.
	AttemptStarted(job Job, waited time.Duration)
	// AttemptEnded reports the end of an attempt and its duration. The duration is zero when the
	// run ended without being worked on here: cancelled while queued, or given up by the sweep.
	AttemptEnded(job Job, end AttemptResult, took time.Duration)
}

// Notifier carries hints to the other replicas. Losing one costs time (the sweep and the
// heartbeat find everything), never correctness. Calls must not block.
type Notifier interface {
	// NotifyQueued says that a run may be claimable. The receiving replica calls Engine.WakeLocal.
	NotifyQueued()
	// NotifyCancelled says that a run's person wants it stopped. The receiving replica calls Engine.CancelLocal.
	NotifyCancelled(runID string)
}
