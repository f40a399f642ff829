package server

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"errand/internal/store"
)

const (
	// healthInterval is the time between two checks of the database, and healthPause the least time before a check
	// that a failed statement causes.
	healthInterval = time.Second
	healthPause    = 100 * time.Millisecond
	// healthTimeout limits one check, and healthStale the age of the result: a check may hang in a system call.
	healthTimeout = 2 * time.Second
	healthStale   = healthInterval + 2*healthTimeout
)

// healthMonitor checks the database in the background, so that requests of /health cost nothing.
type healthMonitor struct {
	db  *store.DB
	log *slog.Logger
	// writesFailed is set from a statement's failure until a write check has succeeded. Only the checks use it.
	writesFailed bool

	mu sync.Mutex
	// fault is the result of the last check, which ended at checkedAt.
	fault     store.Fault
	checkedAt time.Time
}

// watchHealth checks the database once, and then until Stop.
func (s *Server) watchHealth(ctx context.Context) {
	s.health = &healthMonitor{db: s.DB, log: s.Log}
	s.health.check(ctx)
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	s.onStop("health checks", 1, func(context.Context) error { cancel(); <-done; return nil })
	go func() {
		defer close(done)
		s.health.watch(background)
	}()
}

func (m *healthMonitor) watch(ctx context.Context) {
	ticker := time.NewTicker(healthInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-m.db.Faults():
			m.writesFailed = true
		}
		m.check(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(healthPause):
		}
	}
}

// check checks reads, and after a failed statement writes, until they succeed again.
func (m *healthMonitor) check(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	err := store.CheckRead(bounded, m.db)
	if err == nil && m.writesFailed {
		if err = store.CheckWrite(bounded, m.db); err == nil {
			m.writesFailed = false
		}
	}
	if ctx.Err() != nil {
		return
	}
	fault := store.FaultNone
	if err != nil {
		fault = cmp.Or(store.FaultOf(err), store.FaultDown)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch fault {
	case m.fault:
	case store.FaultNone:
		m.log.InfoContext(ctx, "the database works again")
	default:
		m.log.WarnContext(ctx, "health check failed: the database cannot be used",
			slog.String("reason", string(fault)), slog.Any("error", err))
	}
	m.fault, m.checkedAt = fault, time.Now()
}

// currentFault returns the fault of the last check, or FaultDown when the checks hang.
func (m *healthMonitor) currentFault() store.Fault {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fault == store.FaultNone && time.Since(m.checkedAt) > healthStale {
		return store.FaultDown
	}
	return m.fault
}

// healthReport is the response of /health.
type healthReport struct {
	Status     string          `json:"status"` // "ok" or "unavailable"
	DatabaseOK bool            `json:"database_ok"`
	PoolStatus store.PoolStats `json:"pool_status"`
	// Reason is why the database cannot be used; it is absent when it can.
	Reason store.Fault `json:"reason,omitempty"`
}

// ServeHTTP implements the check for load balancers: 200 if the database can be used, else 503 with the reason.
func (m *healthMonitor) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	report, status := healthReport{Status: "ok", DatabaseOK: true, PoolStatus: m.db.PoolStats()}, http.StatusOK
	if fault := m.currentFault(); fault != store.FaultNone {
		report.Status, report.DatabaseOK, report.Reason = "unavailable", false, fault
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, report)
}

// serveLiveness is the check for process supervisors. It does not depend on the database, because a restart of the
// process would not bring the database back.
func serveLiveness(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only if the client has disconnected
}
