package offline

import (
	"sync"
	"time"

	"errand/internal/due"
	"errand/internal/offline/intent"
	"errand/internal/offline/language"
)

// cachedMessages is the capacity of a reader: the messages of about 30 turns that run at the same time.
const cachedMessages = 256

// reader parses messages, each once for all steps of a turn. The messages that it returns are shared and must not be
// changed. It is safe for concurrent use.
type reader struct {
	parse func(message string, now due.Now) (intent.Message, *language.Language)
	mu    sync.Mutex
	known map[readKey]parsed
}

type parsed struct {
	message  intent.Message
	language *language.Language
}

// readKey is a message with the time at which it is read. Locations are compared by name, because each step loads its
// own.
type readKey struct {
	message, zone string
	at            int64
	weekStart     time.Weekday
}

func newReader() *reader {
	return &reader{parse: language.Parse, known: map[readKey]parsed{}}
}

// message returns the meaning of a message, and its language. A full cache is emptied, because its entries are old.
func (r *reader) message(message string, now due.Now) (intent.Message, *language.Language) {
	key := readKey{message, now.Location().String(), now.Unix(), now.WeekStart()}
	r.mu.Lock()
	p, ok := r.known[key]
	r.mu.Unlock()
	if ok {
		return p.message, p.language
	}
	p.message, p.language = r.parse(message, now)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.known) >= cachedMessages {
		clear(r.known)
	}
	r.known[key] = p
	return p.message, p.language
}
