package offline

import (
	"reflect"

	"errand/internal/due"
	"errand/internal/offline/intent"
	"errand/internal/offline/language"
)

// ReplayedBytes is the maximum length of the earlier messages that a turn parses.
const ReplayedBytes = replayedBytes

// Parses records what a model parses.
type Parses struct {
	Count, Bytes int
	// pairs are the results of two parses of the same message; the model uses the first.
	pairs [][2]intent.Message
}

// RecordParses returns the parses of m from now on.
func RecordParses(m *Model) *Parses {
	var p Parses
	parse := m.read.parse
	m.read.parse = func(message string, now due.Now) (intent.Message, *language.Language) {
		p.Count++
		p.Bytes += len(message)
		m, l := parse(message, now)
		again, _ := parse(message, now)
		p.pairs = append(p.pairs, [2]intent.Message{m, again})
		return m, l
	}
	return &p
}

// Unchanged reports whether the parsed messages are as they were parsed.
func (p *Parses) Unchanged() bool {
	for _, pair := range p.pairs {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			return false
		}
	}
	return true
}
