package stream

import "errand/ent/enum"

// simWriter is one attempt at a reply. It may lose its lease without noticing.
type simWriter struct {
	w       *world
	at      *simReplica
	reply   *simReply
	attempt int
	text    string
	gone    bool
}

// claim begins another attempt at the reply whose turn it is.
func (w *world) claim(at *simReplica) {
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
		Kind: Delta, Topic: simTopic, ID: wr.reply.row.ID, Position: wr.reply.row.Position,
		Attempt: wr.attempt, Offset: offset, Text: text,
	}
}

// write lets one of the writers go on, zombies among them.
func (w *world) write() {
	var working []*simWriter
	for _, wr := range w.writers {
		if !wr.gone {
			working = append(working, wr)
		}
	}
	w.writers = working
	if len(working) == 0 {
		w.claim(w.replicas[w.IntN(len(w.replicas))])
		return
	}
	working[w.IntN(len(working))].act()
}

func (wr *simWriter) act() {
	switch n := wr.w.IntN(100); {
	case n < 1:
		for range backlog + 10 {
			wr.say("x")
		}
	case n < 55:
		wr.say(wr.w.words())
	case n < 70:
		wr.gone = !wr.reply.checkpoint(wr.attempt, wr.text)
	case n < 80:
		wr.changed(wr.w.store.record(wr.reply, wr.attempt, wr.text, wr.w.IntN(4)))
	case n < 92:
		wr.endCall()
	case n < 94:
		wr.gone = true // killed
	default:
		wr.end(wr.reply.finish(wr.attempt, &wr.text))
	}
}

func (wr *simWriter) say(text string) {
	at := Units(wr.text)
	wr.text += text
	wr.at.hub.Publish(wr.delta(at, text))
}

// words differ from attempt to attempt.
func (w *world) words() string {
	pieces := [...]string{"a", "bc", "déf", "𝄞", "x𝄞y", "👩‍👩‍👧", "\u0000", " ", "long enough to matter"}
	return pieces[w.IntN(len(pieces))]
}

// changed tells that rows were committed; a refused write ends the writer.
func (wr *simWriter) changed(committed bool) {
	if !committed {
		wr.gone = true
		return
	}
	wr.at.hub.Publish(Event{Kind: Changed, Topic: simTopic})
}

func (wr *simWriter) endCall() {
	open := wr.reply.open()
	if len(open) == 0 || !wr.reply.owned(wr.attempt) {
		return
	}
	open[wr.w.IntN(len(open))].Status = enum.ToolCallSucceeded
	wr.changed(true)
}

func (wr *simWriter) end(committed bool) {
	wr.gone = true
	if !committed {
		return
	}
	if wr.w.lossy && wr.w.IntN(4) == 0 { // killed between the commit and the news of it
		for i, r := range wr.w.replicas {
			if r == wr.at {
				wr.w.kill(i)
				return
			}
		}
	}
	wr.at.hub.Publish(Event{Kind: Changed, Topic: simTopic, ID: wr.reply.row.ID})
}

// bury ends a reply in its writer's place: cancelled, or out of attempts. The
// writer may not notice for a while.
func (w *world) bury(at *simReplica) {
	r := w.store.current()
	if r != nil && w.IntN(4) == 0 && r.finish(r.attempt, nil) {
		at.hub.Publish(Event{Kind: Changed, Topic: simTopic, ID: r.row.ID})
	}
}
