package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"errand/internal/store"
)

// healthTimeout limits the database check of a health request.
const healthTimeout = 2 * time.Second

// healthReport is the response of /health.
type healthReport struct {
	Status     string          `json:"status"` // "ok" or "unavailable"
	DatabaseOK bool            `json:"database_ok"`
	PoolStatus store.PoolStats `json:"pool_status"`
}

// healthHandler returns the check for load balancers: 200 if the database responds, else 503.
func healthHandler(db *store.DB, log *slog.Logger) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
		defer cancel()
		report, status := healthReport{Status: "ok", DatabaseOK: true, PoolStatus: db.PoolStats()}, http.StatusOK
		if err := db.Ping(ctx); err != nil {
			report.Status, report.DatabaseOK, status = "unavailable", false, http.StatusServiceUnavailable
			log.WarnContext(ctx, "health check failed: the database does not respond", "error", err)
		}
		writeJSON(w, status, report)
	}
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
