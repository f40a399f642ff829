package agent

import (
	"strings"
	"sync"
	"time"

	"errand/internal/run"
	"errand/internal/stream"
)

const (
	// coalesce is how long text may wait for more of it. The first goes out at once.
	coalesce = 30 * time.Millisecond
	// checkpoint is how often the text is stored while it is being written.
	checkpoint = time.Second
)

// writer publishes one attempt's text: append-only, each piece with its offset.
type writer struct {
	hub *stream.Hub
	job run.Job

	mu        sync.Mutex
	all       strings.Builder
	published int    // bytes of all that are out
	offset    int    // the same in UTF-16 units
	stepStart int    // bytes of all before this step's own text
	gap       string // goes before the next text
	recorded  int    // bytes of all up to the last recorded step
	sent      time.Time
	stored    time.Time
	timer     *time.Timer
	closed    bool
}

// newWriter goes on from what earlier attempts recorded, and tells it: an attempt
// begins with all of its text so far, at offset 0.
func newWriter(hub *stream.Hub, job run.Job, recorded string) *writer {
	w := &writer{hub: hub, job: job, stored: time.Now()}
	w.all.WriteString(recorded)
	w.recorded = len(recorded)
	w.publish(recorded)
	return w
}

// publish must be called with the lock held, or before the writer is shared.
func (w *writer) publish(text string) {
	w.hub.Publish(stream.Event{
		Kind: stream.Delta, Topic: w.job.ConversationID, ID: w.job.MessageID,
		Position: w.job.Position, Attempt: w.job.Attempt, Offset: w.offset, Text: text,
	})
	w.published += len(text)
	w.offset += stream.Units(text)
}

// beginStep sets the step's text apart from what was said before.
func (w *writer) beginStep() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stepStart = w.all.Len()
	w.gap = ""
	if w.all.Len() > 0 {
		w.gap = stepGap
	}
}

// clean is text as it may be stored and shown. Broken UTF-8 is replaced: PostgreSQL and
// JSON keep none.
func clean(text string) string {
	return visible(strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", ""))
}

// write adds text.
func (w *writer) write(text string) {
	if text = clean(text); text == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gap != "" {
		w.all.WriteString(w.gap)
		w.stepStart = w.all.Len()
		w.gap = ""
	}
	w.all.WriteString(text)
	wait := coalesce - time.Since(w.sent)
	switch {
	case wait <= 0:
		w.flushLocked()
	case w.timer == nil:
		w.timer = time.AfterFunc(wait, w.flush)
	}
}

// flush publishes what is waiting.
func (w *writer) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flushLocked()
}

func (w *writer) flushLocked() {
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	if rest := w.all.String()[w.published:]; rest != "" && !w.closed {
		w.publish(rest)
		w.sent = time.Now()
	}
}

// close stops publishing; text that was not flushed stays unpublished.
func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.flushLocked()
}

// unsaid is the part of the step's whole text that was not streamed.
func (w *writer) unsaid(whole string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	whole = clean(whole)
	rest, _ := strings.CutPrefix(whole, w.all.String()[w.stepStart:])
	if rest == whole && w.all.Len() > w.stepStart {
		return "" // streamed in other words: what was streamed counts
	}
	return rest
}

// mark says that everything so far belongs to recorded steps.
func (w *writer) mark() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.recorded = w.all.Len()
}

// tail is what was said since the last recorded step, as recordedSteps and finalText cut it.
func (w *writer) tail() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	tail := w.all.String()[w.recorded:]
	if w.recorded > 0 {
		tail = strings.TrimPrefix(tail, stepGap)
	}
	return tail
}

func (w *writer) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}

// units is the length of the published text in UTF-16 units.
func (w *writer) units() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.offset
}

// checkpointDue reports, once a checkpoint interval, that the text should be stored.
func (w *writer) checkpointDue() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.stored) < checkpoint {
		return false
	}
	w.stored = time.Now()
	return true
}
