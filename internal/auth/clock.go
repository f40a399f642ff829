package auth

import (
	"net/http"
	"time"
)

// clockDifference is how far this machine's clock is ahead of another, negative when it is behind, to about a second.
type clockDifference struct {
	ahead time.Duration
	known bool
}

// compareClock compares the clock with the Date header of a response to a request that was in progress between two
// times.
func compareClock(header http.Header, started, ended time.Time) clockDifference {
	remote, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return clockDifference{}
	}
	middle := started.Add(ended.Sub(started) / 2)
	// The header is truncated to whole seconds; half a second is the best estimate of the rest.
	return clockDifference{ahead: middle.Sub(remote.Add(time.Second / 2)), known: true}
}

// exceeds reports whether the difference makes fresh tokens invalid, or expired ones valid.
func (d clockDifference) exceeds(leeway time.Duration) bool {
	return d.known && d.ahead.Abs() > max(leeway, 2*time.Second) // the header has a resolution of a second
}
