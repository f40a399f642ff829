package signin

import (
	"net/netip"
	"sync"
	"time"

	"errand/internal/apperr"
)

const (
	// freeLoginFailures is how many sign-ins of a login may fail before it must wait.
	freeLoginFailures = 5
	// firstLoginWait is the wait after the next failure; each further one doubles it, up to maxLoginWait.
	firstLoginWait = 30 * time.Second
	maxLoginWait   = 15 * time.Minute
	// loginMemory is how long failures of a login are counted after the last one.
	loginMemory = time.Hour
	// addressWindow is the time in which failures of an address are counted.
	addressWindow = 10 * time.Minute
	// maxTracked is the maximum number of logins, and of addresses, that are counted; beyond it, those that are not
	// limited are dropped, or all if every one is.
	maxTracked = 20_000
)

// failureKind is a kind of failure. Each kind has a limit of its own per address.
type failureKind string

const (
	signInFailures failureKind = "sign-in"
	linkFailures   failureKind = "link"
)

// perAddress returns the number of failures that an address may have within addressWindow.
func (k failureKind) perAddress() int {
	if k == linkFailures {
		return 20
	}
	return 30
}

// failureLimiter limits failed sign-ins and wrong links, in this process. It is safe for concurrent use.
type failureLimiter struct {
	mu        sync.Mutex
	logins    map[string]*loginFailures
	addresses map[addressKey]*addressFailures
}

type loginFailures struct {
	count int
	last  time.Time
}

type addressKey struct {
	kind    failureKind
	address string
}

type addressFailures struct {
	count int
	begun time.Time
}

func newFailureLimiter() *failureLimiter {
	return &failureLimiter{logins: map[string]*loginFailures{}, addresses: map[addressKey]*addressFailures{}}
}

// attempt is a sign-in or the use of a link. It counts as a failure until end is called, so that concurrent attempts
// cannot exceed the limits.
type attempt struct {
	limiter *failureLimiter
	login   *loginFailures // nil without a login
	address *addressFailures
}

// begin counts an attempt from an address, for a login unless it is "". The error is RATE_LIMITED.
func (l *failureLimiter) begin(now time.Time, kind failureKind, address, login string) (*attempt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prune(now)
	key := addressKey{kind: kind, address: network(address)}
	a := l.addresses[key]
	if a == nil || now.Sub(a.begun) >= addressWindow {
		a = &addressFailures{begun: now}
		l.addresses[key] = a
	}
	if a.count >= kind.perAddress() {
		return nil, errTooManyFailures(a.begun.Add(addressWindow).Sub(now))
	}
	var f *loginFailures
	if login != "" {
		if f = l.logins[login]; f == nil || now.Sub(f.last) >= loginMemory {
			f = &loginFailures{}
			l.logins[login] = f
		}
		if wait := f.wait() - now.Sub(f.last); f.count >= freeLoginFailures && wait > 0 {
			return nil, errTooManyFailures(wait)
		}
		f.count++
		f.last = now
	}
	a.count++
	return &attempt{limiter: l, login: f, address: a}, nil
}

// wait returns the minimum time between the last failure and the next attempt.
func (f *loginFailures) wait() time.Duration {
	wait := firstLoginWait
	for range f.count - freeLoginFailures {
		if wait *= 2; wait >= maxLoginWait {
			return maxLoginWait
		}
	}
	return wait
}

// end ends the attempt with its error, nil for a success. A success resets the failures of the login. Errors other than
// those of wrong credentials are not counted.
func (a *attempt) end(err error) {
	a.limiter.mu.Lock()
	defer a.limiter.mu.Unlock()
	switch apperr.CodeOf(err) {
	case apperr.Unauthenticated, apperr.NotFound:
		return
	case "":
		if a.login != nil {
			a.login.count = 0
		}
	default:
		if a.login != nil && a.login.count > 0 {
			a.login.count--
		}
	}
	if a.address.count > 0 {
		a.address.count--
	}
}

// prune drops counters once there are maxTracked. The caller holds mu.
func (l *failureLimiter) prune(now time.Time) {
	if len(l.logins) >= maxTracked {
		for login, f := range l.logins {
			if f.count < freeLoginFailures || now.Sub(f.last) >= loginMemory {
				delete(l.logins, login)
			}
		}
		if len(l.logins) >= maxTracked {
			clear(l.logins)
		}
	}
	if len(l.addresses) >= maxTracked {
		for key, a := range l.addresses {
			if a.count == 0 || now.Sub(a.begun) >= addressWindow {
				delete(l.addresses, key)
			}
		}
		if len(l.addresses) >= maxTracked {
			clear(l.addresses)
		}
	}
}

// network returns the unit by which addresses are counted: an IPv4 address, or the /64 network of an IPv6 address,
// because one client may use all addresses of such a network.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}

func errTooManyFailures(wait time.Duration) error {
	return apperr.TooMany(max(wait, time.Second), "Too many failed attempts. Try again later.")
}
