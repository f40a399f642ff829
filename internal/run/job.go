package run

import (
	"context"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/viewer"
)

// Job is one claim of a run, as a Handler receives it. It is a value that does not follow later changes of the
// run: a writer with an outdated Attempt is detected by that.
type Job struct {
	RunID          string
	UserID         string
	ConversationID string
	// MessageID is the assistant message to write.
	MessageID string
	// Position is the message's position in the conversation.
	Position int
	// Attempt counts the run's claims, from 1. It is the fencing token and the epoch of the message's text.
	Attempt int
	// Failures is how many earlier attempts failed or lost their lease; hand-overs do not count.
	Failures int
	// Scopes are those of the token that sent the message. The job does nothing that they do not allow.
	Scopes viewer.Scopes
}

// Handler executes one attempt of a job. Its context has the job's user as viewer, and is cancelled with
// the cause ErrLeaseLost, ErrCancelled or ErrShutdown (context.Cause).
//
// It returns nil after it has called Finish. Otherwise the engine ends the attempt:
//   - on ErrShutdown, the run is handed over to another replica, whatever the handler returns;
//   - on ErrCancelled, the handler should call Finish with status CANCELLED and the text so far; if it does
//     not, the engine finishes the run with the text stored last;
//   - on ErrLeaseLost, nothing more can be written;
//   - an error made by PermanentError ends the run as FAILED;
//   - an error made by RetryAfter retries after its delay;
//   - any other error, and a panic, retries with exponential backoff, up to Options.MaxAttempts failures.
//
// Errors are logged, so their texts must not contain what users or models wrote.
type Handler func(ctx context.Context, job Job) error

// Outcome is the final state of a run.
type Outcome struct {
	// Status is COMPLETED, FAILED or CANCELLED.
	Status enum.MessageStatus
	// ErrorCode is the reason of a failure; FAILED only.
	ErrorCode apperr.Code
	// ErrorReason is the exact reason of a failure, "" if unknown; FAILED only.
	ErrorReason string
	// Effects, when set, runs in the final transaction, after the fence check and before the message
	// is updated.
	Effects func(ctx context.Context, tx *ent.Tx) error
}

// AttemptResult is how an attempt ended, or how a run ended without one. Its values are metric labels.
type AttemptResult string

// The results of an attempt.
const (
	ResultCompleted  AttemptResult = "completed"
	ResultFailed     AttemptResult = "failed"
	ResultCancelled  AttemptResult = "cancelled"
	ResultRetried    AttemptResult = "retried"
	ResultHandedOver AttemptResult = "handed_over"
	ResultLeaseLost  AttemptResult = "lost"
)

// resultOf returns the result of an attempt that gave its message the final status.
func resultOf(status enum.MessageStatus) AttemptResult {
	switch status {
	case enum.MessageCompleted:
		return ResultCompleted
	case enum.MessageCancelled:
		return ResultCancelled
	default:
		return ResultFailed
	}
}

// logAttrs are the job's attributes in log records.
func (j Job) logAttrs() []any {
	return []any{"run_id", j.RunID, "user_id", j.UserID, "conversation_id", j.ConversationID, "attempt", j.Attempt}
}
