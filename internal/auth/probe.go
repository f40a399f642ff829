package auth

import (
	"context"
	"net/http"
	"time"
)

// JWKSReport is what a look at the published keys found.
type JWKSReport struct {
	// Keys is how many can be used, each under its one algorithm.
	Keys int
	// ClockAhead is how far this machine's clock is ahead of the identity provider's, behind
	// when negative, to about a second. Known says whether the answer told the time.
	ClockAhead time.Duration
	ClockKnown bool
}

// ProbeJWKS fetches the keys once, as the server does. Its errors hold neither the
// address nor the answer.
func ProbeJWKS(ctx context.Context, url string) (JWKSReport, error) {
	asked := time.Now()
	ring, header, err := newJWKSClient(url).get(ctx)
	if err != nil {
		return JWKSReport{}, err
	}
	report := JWKSReport{Keys: len(ring.keys)}
	if theirs, err := http.ParseTime(header.Get("Date")); err == nil {
		middle := asked.Add(time.Since(asked) / 2)
		// The header is cut to whole seconds: half of one is the best guess for the rest.
		report.ClockAhead, report.ClockKnown = middle.Sub(theirs.Add(time.Second/2)), true
	}
	return report, nil
}
