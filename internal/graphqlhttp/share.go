package graphqlhttp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// reply is a response to a subscription, encoded already if it is shared.
type reply struct {
	response *graphql.Response
	encoded  []byte
}

func (r reply) write(b *bytes.Buffer) {
	if r.encoded != nil {
		b.Write(r.encoded)
		return
	}
	writeResponse(b, r.response)
}

// twin identifies subscriptions of the same user with the same document and variables.
// They see the same of the same event.
type twin [sha256.Size]byte

func twinOf(op *operation, userID string) twin {
	variables, err := json.Marshal(op.context.Variables)
	if err != nil {
		return twin{} // never equal to one that is known: see shares.once
	}
	hash := sha256.New()
	for _, part := range []string{op.hash, op.name, userID, string(variables)} {
		sum := sha256.Sum256([]byte(part))
		hash.Write(sum[:])
	}
	return twin(hash.Sum(nil))
}

// shares lets twins share the execution and encoding of an event. What is shared is kept
// for a moment only: it must not outlive what nested fields have read.
type shares struct {
	mu    sync.Mutex
	twins map[twin]int
	kept  map[shareKey]*shared
	order []shareKey // oldest first
}

const (
	shareTime  = time.Second
	mostShared = 256
)

type shareKey struct {
	twin  twin
	event any
}

// shared is an event's encoding, or the promise of one.
type shared struct {
	ready   chan struct{}
	since   time.Time
	encoded []byte // nil after a failure, which is nobody else's
}

func newShares() *shares {
	return &shares{twins: map[twin]int{}, kept: map[shareKey]*shared{}}
}

func (s *shares) join(t twin) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.twins[t]++
}

func (s *shares) leave(t twin) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.twins[t]--; s.twins[t] == 0 {
		delete(s.twins, t)
	}
}

// once gives the reply to an event, by execute unless a twin has it or is about to.
// False when ctx ended while waiting for a twin.
func (s *shares) once(ctx context.Context, t twin, event any, execute func() reply) (reply, bool) {
	key := shareKey{twin: t, event: event}
	mine, theirs := s.claim(key)
	if theirs != nil {
		select {
		case <-theirs.ready:
		case <-ctx.Done():
			return reply{}, false
		}
		if theirs.encoded != nil {
			return reply{encoded: theirs.encoded}, true
		}
	}
	if mine == nil {
		return execute(), true
	}
	defer close(mine.ready)
	r := execute()
	if r.response != nil && r.response.Data != nil && len(r.response.Errors) == 0 {
		b := takeBuffer()
		defer releaseBuffer(b)
		writeResponse(b, r.response)
		mine.encoded = bytes.Clone(b.Bytes())
		r.encoded = mine.encoded
	}
	return r, true
}

// claim returns a twin's entry for the event, or one to fill; neither when there is
// nobody to share with.
func (s *shares) claim(key shareKey) (mine, theirs *shared) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key.event == nil || key.twin == (twin{}) || s.twins[key.twin] < 2 {
		return nil, nil
	}
	now := time.Now()
	s.expire(now)
	if entry := s.kept[key]; entry != nil {
		return nil, entry
	}
	mine = &shared{ready: make(chan struct{}), since: now}
	s.kept[key] = mine
	s.order = append(s.order, key)
	return mine, nil
}

// expire drops what is old or too much; the caller holds mu.
func (s *shares) expire(now time.Time) {
	drop := 0
	for _, key := range s.order {
		if len(s.order)-drop <= mostShared && now.Sub(s.kept[key].since) < shareTime {
			break
		}
		delete(s.kept, key)
		drop++
	}
	clear(s.order[:drop])
	s.order = s.order[drop:]
}
