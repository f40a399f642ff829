package stream

import (
	"math/rand/v2"
	"time"
)

const simTopic = "conversation"

// simEnv holds several replicas, their bus, one conversation and its subscribers. One seeded random source chooses
// every step.
type simEnv struct {
	*rand.Rand
	store    simStore
	replicas []*simReplica
	writers  []*simWriter
	clients  []*simClient
	// lossy environments lose events and replicas. In others every event arrives, possibly late and twice.
	lossy    bool
	clock    time.Time
	depth    int // of meanwhile
	failures []string
	seed     uint64
}

// simReplica is one server process, until it is killed.
type simReplica struct {
	w   *simEnv
	hub *Hub
	// inbox holds the undelivered events in order for each sender.
	inbox map[*simReplica][]Event
	order []*simReplica // the inbox's senders, for repeatable choices
	// duplicates holds events that are delivered a second time.
	duplicates []Event
	// lostEvents reports that an event was lost, which the bus will notice.
	lostEvents bool
	killed     bool
}

func newSimEnv(seed uint64) *simEnv {
	w := &simEnv{Rand: rand.New(rand.NewPCG(seed, 1)), seed: seed, clock: time.Unix(0, 0)}
	w.lossy = w.IntN(2) == 0
	for range 1 + w.IntN(3) {
		w.replicas = append(w.replicas, w.startReplica())
	}
	for range 1 + w.IntN(4) {
		w.clients = append(w.clients, &simClient{w: w})
	}
	w.store.addTurn()
	return w
}

func (w *simEnv) startReplica() *simReplica {
	r := &simReplica{w: w, hub: NewHub(), inbox: map[*simReplica][]Event{}}
	r.hub.inFlight.now = func() time.Time { return w.clock }
	r.hub.Connect(r)
	return r
}

// Publish is the bus.
func (r *simReplica) Publish(e Event) {
	for _, to := range r.w.replicas {
		switch {
		case to == r || r.killed:
		case r.w.lossy && r.w.IntN(10) == 0:
			to.lostEvents = true
		default:
			to.enqueue(r, e)
		}
	}
}

func (r *simReplica) enqueue(from *simReplica, e Event) {
	if _, known := r.inbox[from]; !known {
		r.order = append(r.order, from)
	}
	r.inbox[from] = append(r.inbox[from], e)
}

// receive delivers the next event of a random sender. It returns false if there is none.
func (r *simReplica) receive() bool {
	var waiting []*simReplica
	for _, from := range r.order {
		if len(r.inbox[from]) > 0 {
			waiting = append(waiting, from)
		}
	}
	n := len(waiting)
	if len(r.duplicates) > 0 {
		n++
	}
	if n == 0 {
		return false
	}
	at := r.w.IntN(n)
	if at == len(waiting) {
		e := r.duplicates[0]
		r.duplicates = r.duplicates[1:]
		r.hub.Receive(e)
		return true
	}
	from := waiting[at]
	e := r.inbox[from][0]
	r.inbox[from] = r.inbox[from][1:]
	if r.w.IntN(10) == 0 {
		r.duplicates = append(r.duplicates, e)
	}
	r.hub.Receive(e)
	return true
}

// resync does what the bus does when it notices a loss.
func (r *simReplica) resync() {
	if r.lostEvents {
		r.lostEvents = false
		r.hub.Resync()
	}
}

// kill ends a replica, its writers and its clients' connections. Its last events may be lost.
func (w *simEnv) kill(at int) {
	r := w.replicas[at]
	r.killed = true
	for _, c := range w.clients {
		if c.at == r {
			c.disconnect()
		}
	}
	for _, wr := range w.writers {
		if wr.at == r {
			wr.stopped = true
		}
	}
	w.replicas[at] = w.startReplica()
	for _, to := range w.replicas {
		if queue := to.inbox[r]; len(queue) > 0 {
			to.inbox[r] = queue[:w.IntN(len(queue)+1)]
		}
		to.lostEvents = true // the others notice the silence
	}
}

// interleave runs other steps while a read of the database is in progress.
func (w *simEnv) interleave() {
	if w.depth > 0 {
		return
	}
	w.depth++
	defer func() { w.depth-- }()
	for range w.IntN(4) {
		w.step()
	}
}

// step runs one random step.
func (w *simEnv) step() {
	w.clock = w.clock.Add(time.Duration(w.IntN(100)) * time.Millisecond)
	replica := w.IntN(len(w.replicas))
	switch n := w.IntN(100); {
	case n < 35:
		w.replicas[replica].receive()
	case n < 65:
		w.write()
	case n < 70:
		if w.store.decide(w.IntN) && (!w.lossy || w.IntN(4) > 0) { // else killed between the commit and its event
			w.replicas[replica].hub.Publish(Event{Kind: RowsChanged, Topic: simTopic})
		} else if w.lossy {
			w.loseEvent()
		}
	case n < 90:
		w.clients[w.IntN(len(w.clients))].step()
	case n < 92:
		w.claim(w.replicas[replica]) // another attempt may still be writing
	case n < 94:
		w.failCurrent(w.replicas[replica])
	case n < 95 && len(w.store.replies) < 4:
		w.store.addTurn()
		w.replicas[replica].hub.Publish(Event{Kind: RowsChanged, Topic: simTopic})
	case n < 96 && w.lossy:
		w.kill(replica)
	case n < 97 && w.lossy:
		w.replicas[replica].resync()
	case n < 98 && len(w.replicas) < 4:
		w.replicas = append(w.replicas, w.startReplica()) // it has received no events yet
	}
}

// loseEvent makes every replica notice a loss.
func (w *simEnv) loseEvent() {
	for _, r := range w.replicas {
		r.lostEvents = true
	}
}
