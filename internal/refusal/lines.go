package refusal

import (
	"strings"
	"sync"
	"time"
	"unicode"

	"errand/internal/truncate"
)

// Bounds of the log lines for one reason and surface.
const (
	burstLines   = 20
	lineInterval = 10 * time.Second
)

type lineKey struct {
	surface Surface
	reason  Reason
}

// lineLimiter limits the log lines of each key: burstLines at once, and one more after each lineInterval. The number of
// keys is bounded because both parts are closed lists. It is safe for concurrent use.
type lineLimiter struct {
	now func() time.Time

	mu      sync.Mutex
	budgets map[lineKey]*lineBudget
}

type lineBudget struct {
	lines      int
	refilledAt time.Time
	suppressed int
}

// take reports whether a line may be logged, and how many were not since the last.
func (l *lineLimiter) take(key lineKey) (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b := l.budgets[key]
	if b == nil {
		if l.budgets == nil {
			l.budgets = map[lineKey]*lineBudget{}
		}
		b = &lineBudget{lines: burstLines, refilledAt: now}
		l.budgets[key] = b
	}
	if refill := int(now.Sub(b.refilledAt) / lineInterval); refill > 0 {
		b.lines = min(b.lines+refill, burstLines)
		b.refilledAt = b.refilledAt.Add(time.Duration(refill) * lineInterval)
	}
	if b.lines == 0 {
		b.suppressed++
		return 0, false
	}
	b.lines--
	suppressed, b.suppressed = b.suppressed, 0
	return suppressed, true
}

// maxPrintedBytes is the length to which text from outside is truncated in logs.
const maxPrintedBytes = 100

// Printable returns text from outside in a form that is fit for a log: truncated, and without control and other
// invisible characters.
func Printable(s string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return '?'
	}, truncate.Bytes(s, maxPrintedBytes))
	if len(s) > maxPrintedBytes {
		clean += "…"
	}
	return clean
}
