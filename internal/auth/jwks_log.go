package auth

import (
	"log/slog"
	"slices"
	"time"
)

// failureLogInterval is the time after which the same failure of a fetch is logged again.
const failureLogInterval = time.Minute

// failureLog decides which failures of fetches are logged: those that differ from the last, and one a minute. Not safe
// for concurrent use.
type failureLog struct {
	last     string
	loggedAt time.Time
}

func (l *failureLog) due(err error, now time.Time) bool {
	if err.Error() == l.last && now.Sub(l.loggedAt) < failureLogInterval {
		return false
	}
	l.last, l.loggedAt = err.Error(), now
	return true
}

// maxSkippedLines is the number of skipped keys that one fetch logs.
const maxSkippedLines = 20

// skippedKeyLog logs the keys of a set that are not used, once each time they change. Not safe for concurrent use.
type skippedKeyLog struct {
	log  *slog.Logger
	last []SkippedKey
}

// report logs the skipped keys that the last fetched set did not skip for the same reason.
func (l *skippedKeyLog) report(skipped []SkippedKey) {
	var added []SkippedKey
	for _, key := range skipped {
		if !slices.Contains(l.last, key) {
			added = append(added, key)
		}
	}
	l.last = skipped
	for _, key := range added[:min(len(added), maxSkippedLines)] {
		if key.Expected {
			l.log.Info("published key is not used", "key_id", key.ID, "reason", key.Reason)
			continue
		}
		l.log.Warn("published key cannot verify tokens and is skipped", "key_id", key.ID, "reason", key.Reason)
	}
	if more := len(added) - maxSkippedLines; more > 0 {
		l.log.Warn("further published keys are skipped", "keys", more)
	}
}
