package main

import (
	"context"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"idp/cmd/idp/internal/metrics"
)

// monitor takes the private address, and has everything measured from here on. Both are nil
// if there is none.
func (a *app) monitor(o options) (net.Listener, error) {
	if o.MetricsListen == "" {
		return nil, nil
	}
	ln, err := listen("--metrics-listen", o.MetricsListen)
	if err != nil {
		return nil, err
	}
	a.metrics = metrics.New(buildVersion())
	return ln, nil
}

// longProfile is how long an answer of the private address may take: a profile is made while
// its reader waits.
const longProfile = 2 * time.Minute

// monitored serves what is for the operators alone, on an address of its own.
func (s *server) monitored(ln net.Listener) {
	if ln == nil {
		return
	}
	sources := metrics.Sources{DB: s.in.db, Engine: s.in.engine, Alarm: s.codes.GuessAlarm, Ceiling: s.queue.Ceiling, Ready: func(ctx context.Context) bool {
		return s.ready.check(ctx)["status"] == "ready"
	}}
	if s.certificate != nil {
		sources.Certificate = s.certificate.Until
	}
	s.metrics.Watch(sources)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.Handler())
	// Not /debug/pprof/cmdline: a command line may hold the database's password.
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", http.NotFound)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	s.add("monitoring", ln, mux)
	s.sites[len(s.sites)-1].http.WriteTimeout = longProfile
}
