package netlimit

import "cmp"

// defaultMax is the maximum number of connections where file descriptors allow more: room for the 20,000 WebSockets
// that the GraphQL endpoint accepts, and for requests.
const defaultMax = 25_000

// Limit is the maximum number of connections of a listener, and what determines it.
type Limit struct {
	Connections int
	// Descriptors is the maximum number of open files of this process, 0 for no limit, and Reserved how many of them are
	// not for connections.
	Descriptors, Reserved int
	// Tight means that file descriptors may run out, or allow fewer connections than wanted.
	Tight bool
}

// ConnectionLimit returns the limit for this process. wanted is the operator's setting, 0 for none.
func ConnectionLimit(wanted, reserved int) Limit {
	l := Limit{Connections: cmp.Or(wanted, defaultMax), Reserved: reserved}
	descriptors, limited := Descriptors()
	if !limited {
		return l
	}
	l.Descriptors = descriptors
	if available := max(descriptors-reserved, descriptors/4); l.Connections > available {
		l.Connections = available
		l.Tight = wanted > 0 || available > descriptors-reserved
	}
	return l
}
