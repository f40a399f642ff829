package agent

import (
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"errand/internal/run"
	"errand/internal/stream"
)

const (
	// minTextInterval is the shortest interval at which text is published. The first text is published at once.
	minTextInterval = 10 * time.Millisecond
	// maxTextDelay is how long text may be held, since the last was published, while the replica's subscribers are still
	// passing that on: on a busy server, and with a slow reader, more text is combined.
	maxTextDelay = 30 * time.Millisecond
	// checkpointInterval is the shortest interval at which text of a running reply is stored. A checkpoint appends, but
	// the engines write the whole text again, so that a long text waits until one checkpointShare of it is new, at most
	// maxCheckpointInterval.
	checkpointInterval    = time.Second
	maxCheckpointInterval = 10 * time.Second
	checkpointShare       = 8
)

// textWriter publishes the text of one attempt as deltas with offsets. The text only grows. It is safe for
// concurrent use: held text is flushed by a timer, or by the subscriber that is the last to pass on the text before it.
type textWriter struct {
	hub *stream.Hub
	job run.Job

	mu        sync.Mutex
	content   strings.Builder
	published int    // bytes of content that are published
	offset    int    // the same in UTF-16 units
	stepStart int    // bytes of content before the text of this step
	separator string // precedes the next text
	recorded  int    // bytes of content up to the last recorded step
	stored    int    // bytes of content that are stored
	sent      time.Time
	storedAt  time.Time
	timer     *time.Timer
	closed    bool
	now       func() time.Time // of checkpoints
}

// newTextWriter starts from the text of the recorded steps and publishes it at offset 0: a new attempt
// begins with its whole text, so that subscribers can drop the text of the previous one.
func newTextWriter(hub *stream.Hub, job run.Job, recorded string) *textWriter {
	w := &textWriter{hub: hub, job: job, now: time.Now, storedAt: time.Now()}
	w.content.WriteString(recorded)
	w.recorded, w.stored = len(recorded), len(recorded)
	w.publish(recorded)
	return w
}

// publish must be called with the lock held, or before the writer is shared.
func (w *textWriter) publish(text string) {
	w.hub.Publish(stream.Event{
		Kind: stream.TextAppended, Topic: w.job.ConversationID, ID: w.job.MessageID,
		Position: w.job.Position, Attempt: w.job.Attempt, Offset: w.offset, Text: text,
	})
	w.published += len(text)
	w.offset += stream.UTF16Len(text)
}

// beginStep separates the text of the next step from the text before it.
func (w *textWriter) beginStep() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stepStart = w.content.Len()
	w.separator = ""
	if w.content.Len() > 0 {
		w.separator = stepSeparator
	}
}

// beginAnswer begins the text of a model's answer: that of a step, or the continuation of the text so far.
func (w *textWriter) beginAnswer(continues bool) {
	if !continues {
		w.beginStep()
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stepStart, w.separator = w.content.Len(), ""
}

// answer is the text of the current answer so far.
func (w *textWriter) answer() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.content.String()[w.stepStart:]
}

// fit returns the part of text with which the reply has at most limit UTF-16 code units, and whether that reaches the
// limit; 0 means no limit.
func (w *textWriter) fit(text string, limit int) (kept string, full bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if limit == 0 {
		return text, false
	}
	text = sanitize(text)
	free := limit - w.offset - stream.UTF16Len(w.content.String()[w.published:]) - len(w.separator)
	for i, r := range text {
		if free -= utf16.RuneLen(r); free < 0 {
			return text[:i], true
		}
	}
	return text, false
}

// sanitize replaces invalid UTF-8, which PostgreSQL and JSON reject, and removes NUL and invisible characters.
func sanitize(text string) string {
	return stripInvisible(strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", ""))
}

// append adds text and publishes it, now or within maxTextDelay.
func (w *textWriter) append(text string) {
	if text = sanitize(text); text == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.separator != "" {
		w.content.WriteString(w.separator)
		w.stepStart = w.content.Len()
		w.separator = ""
	}
	w.content.WriteString(text)
	switch wait := minTextInterval - time.Since(w.sent); {
	case w.timer != nil: // some text is held already
	case wait <= 0:
		w.flushDelivered()
	default:
		w.timer = time.AfterFunc(wait, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.flushDelivered()
		})
	}
}

// flushDelivered publishes held text as soon as the text before it is delivered, at the latest maxTextDelay after that
// was published. It must be called with the lock held.
func (w *textWriter) flushDelivered() {
	wait := maxTextDelay - time.Since(w.sent)
	if wait <= 0 || w.closed || !w.hub.AfterDelivery(w.job.ConversationID, w.flush) {
		w.flushLocked()
		return
	}
	w.timer = time.AfterFunc(wait, w.flush)
}

// flush publishes held text.
func (w *textWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flushLocked()
}

func (w *textWriter) flushLocked() {
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	if rest := w.content.String()[w.published:]; rest != "" && !w.closed {
		w.publish(rest)
		w.sent = time.Now()
	}
}

// close stops publishing. Text that was not flushed stays unpublished.
func (w *textWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.flushLocked()
}

// missingSuffix returns the part of the whole text of the step that was not streamed.
func (w *textWriter) missingSuffix(whole string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	whole = sanitize(whole)
	rest, _ := strings.CutPrefix(whole, w.content.String()[w.stepStart:])
	if rest == whole && w.content.Len() > w.stepStart {
		return "" // the streamed text differs: it stands
	}
	return rest
}

// markRecorded marks the text so far as part of recorded steps.
func (w *textWriter) markRecorded() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.recorded, w.stored, w.storedAt = w.content.Len(), w.content.Len(), w.now()
}

// unrecordedText is the text since the last recorded step, split as recordedSteps and finalText do.
func (w *textWriter) unrecordedText() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	tail := w.content.String()[w.recorded:]
	if w.recorded > 0 {
		tail = strings.TrimPrefix(tail, stepSeparator)
	}
	return tail
}

func (w *textWriter) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.content.String()
}

// offsetUTF16 is the length of the published text in UTF-16 units.
func (w *textWriter) offsetUTF16() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.offset
}

// takeCheckpoint returns the text that is not stored yet if it should be stored now. The caller appends it to the
// stored text; if that fails, the attempt ends.
func (w *textWriter) takeCheckpoint() (unstored string, due bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	unstored = w.content.String()[w.stored:]
	wait := w.now().Sub(w.storedAt)
	few := len(unstored)*checkpointShare < w.stored
	if unstored == "" || wait < checkpointInterval || few && wait < maxCheckpointInterval {
		return "", false
	}
	w.stored, w.storedAt = w.content.Len(), w.now()
	return unstored, true
}
