package main

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// healthz says that the process runs.
func healthz(w http.ResponseWriter, _ *http.Request) {
	writeHealth(w, http.StatusOK, map[string]string{"status": "ok", "version": buildVersion()})
}

// readiness says whether requests can be answered: database and keys. What it
// learnt is good for a second, so that a stranger asking all the time costs the
// database nothing.
type readiness struct {
	server *server
	mu     sync.Mutex
	at     time.Time
	report map[string]string
}

func (r *readiness) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if r.server.stopping.Load() {
		writeHealth(w, http.StatusServiceUnavailable, map[string]string{"status": "stopping"})
		return
	}
	report := r.check(req.Context())
	status := http.StatusOK
	if report["status"] != "ready" {
		status = http.StatusServiceUnavailable
	}
	writeHealth(w, status, report)
}

func (r *readiness) check(ctx context.Context) map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Who waited for somebody else's answer takes it, also a bad one. Keys that are
	// being made are asked for again: a start is ready as soon as it is.
	if time.Since(r.at) < time.Second && r.report["keys"] == "ok" {
		return r.report
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	report := map[string]string{"status": "ready", "database": "ok", "keys": "ok"}
	if err := r.server.in.db.Ping(ctx); err != nil {
		report["status"], report["database"] = "not ready", "does not answer"
	}
	if !r.server.keysMade.Load() {
		report["status"], report["keys"] = "not ready", "not made yet"
	}
	r.report, r.at = report, time.Now()
	return report
}

func writeHealth(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
