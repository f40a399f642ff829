package stream

import "errand/ent/enum"

// simWriter is one attempt at a reply. It may lose its lease without noticing.
type simWriter struct {
	w       *simEnv
	at      *simReplica
	reply   *simReply
	attempt int
	text    string
	stopped bool
}

// claim starts another attempt at the current reply.
func (w *simEnv) claim(at *simReplica) {
	r := w.store.current()
	if r == nil {
		return
	}
	r.attempt++
	wr := &simWriter{w: w, at: at, reply: r, attempt: r.attempt, text: r.stable}
	w.writers = append(w.writers, wr)
	at.hub.Publish(wr.delta(0, wr.text))
}

func (wr *simWriter) delta(offset int, text string) Event {
	return Event{
		Kind: TextAppended, Topic: simTopic, ID: wr.reply.row.ID, Position: wr.reply.row.Position,
		Attempt: wr.attempt, Offset: offset, Text: text,
	}
}

// write runs a step of a random writer, which may have lost its lease.
func (w *simEnv) write() {
	var working []*simWriter
	for _, wr := range w.writers {
		if !wr.stopped {
			working = append(working, wr)
		}
	}
	w.writers = working
	if len(working) == 0 {
		w.claim(w.replicas[w.IntN(len(w.replicas))])
		return
	}
	working[w.IntN(len(working))].step()
}

func (wr *simWriter) step() {
	switch n := wr.w.IntN(100); {
	case n < 1:
		for range maxQueued + 10 {
			wr.appendText("x")
		}
	case n < 55:
		wr.appendText(wr.w.randomText())
	case n < 70:
		wr.stopped = !wr.reply.checkpoint(wr.attempt, wr.text)
	case n < 80:
		wr.changed(wr.w.store.record(wr.reply, wr.attempt, wr.text, wr.w.IntN(4)))
	case n < 92:
		wr.endCall()
	case n < 94:
		wr.stopped = true // killed
	default:
		wr.end(wr.reply.finish(wr.attempt, &wr.text))
	}
}

func (wr *simWriter) appendText(text string) {
	at := UTF16Len(wr.text)
	wr.text += text
	wr.at.hub.Publish(wr.delta(at, text))
}

// randomText returns text that differs between attempts.
func (w *simEnv) randomText() string {
	pieces := [...]string{"a", "bc", "déf", "𝄞", "x𝄞y", "👩‍👩‍👧", "\u0000", " ", "long enough to matter"}
	return pieces[w.IntN(len(pieces))]
}

// changed publishes RowsChanged after a commit. A rejected write stops the writer.
func (wr *simWriter) changed(committed bool) {
	if !committed {
		wr.stopped = true
		return
	}
	wr.at.hub.Publish(Event{Kind: RowsChanged, Topic: simTopic})
}

func (wr *simWriter) endCall() {
	open := wr.reply.openCalls()
	if len(open) == 0 || !wr.reply.ownedBy(wr.attempt) {
		return
	}
	c := open[wr.w.IntN(len(open))]
	c.Status = enum.ToolCallSucceeded
	if wr.w.IntN(2) == 0 {
		c.Status = enum.ToolCallAwaiting
		wr.w.store.waiting++
	}
	wr.changed(true)
}

func (wr *simWriter) end(committed bool) {
	wr.stopped = true
	if !committed {
		return
	}
	if wr.w.lossy && wr.w.IntN(4) == 0 { // killed between the commit and its event
		for i, r := range wr.w.replicas {
			if r == wr.at {
				wr.w.kill(i)
				return
			}
		}
	}
	wr.at.hub.Publish(Event{Kind: RowsChanged, Topic: simTopic, ID: wr.reply.row.ID})
}

// failCurrent ends the current reply as the engine does when it is cancelled or out of attempts. The writer continues
// until it notices.
func (w *simEnv) failCurrent(at *simReplica) {
	r := w.store.current()
	if r != nil && w.IntN(4) == 0 && r.finish(r.attempt, nil) {
		at.hub.Publish(Event{Kind: RowsChanged, Topic: simTopic, ID: r.row.ID})
	}
}
