package main

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"idp/bench/internal/proc"
)

// run is one measured window. CPU times are milliseconds per sign-in.
type run struct {
	SignIns     int       `json:"signIns"`
	PerSecond   float64   `json:"signInsPerSecond"`
	ServerCPU   float64   `json:"serverCPUMillis"`
	PostgresCPU float64   `json:"postgresCPUMillis"`
	DriverCPU   float64   `json:"driverCPUMillis"`
	Commits     float64   `json:"commits"` // per sign-in, reads included
	Writes      float64   `json:"writes"`  // per sign-in: transactions that wrote
	RSS         int64     `json:"rssBytes"`
	PeakRSS     int64     `json:"peakRSSBytes"`
	Total       latency   `json:"total"`
	Steps       []latency `json:"steps"`
	Reference   reference `json:"reference"`
}

// CPU is what a sign-in costs, server and database together.
func (r run) CPU() float64 { return r.ServerCPU + r.PostgresCPU }

// latency in milliseconds.
type latency struct {
	Name string  `json:"name"`
	P50  float64 `json:"p50Millis"`
	P95  float64 `json:"p95Millis"`
	P99  float64 `json:"p99Millis"`
}

// measureRun measures the reference and then one window of sign-ins.
func measureRun(ctx context.Context, o options, db database, s *server, l load, profile string) (r run, err error) {
	if r.Reference, err = measureReference(ctx, db, o.Clients); err != nil {
		return r, err
	}
	w, err := measureWindow(ctx, o, db, s, l, profile)
	if err != nil {
		return r, err
	}
	r.RSS = w.rss
	if _, r.PeakRSS, err = proc.Memory(s.pid()); err != nil {
		return r, err
	}
	n := float64(len(w.all))
	r.SignIns, r.PerSecond = len(w.all), w.perSecond()
	r.ServerCPU, r.DriverCPU, r.PostgresCPU = millis(w.each(w.server)), millis(w.each(w.driver)), millis(w.each(w.database.cpu))
	r.Commits, r.Writes = float64(w.database.commits)/n, float64(w.database.writes)/n
	r.Total = latencyOf("sign-in", w.all, timing.total)
	for i, name := range stepNames {
		r.Steps = append(r.Steps, latencyOf(name, w.all, func(t timing) time.Duration { return t.steps[i] }))
	}
	return r, nil
}

func latencyOf(name string, all []timing, part func(timing) time.Duration) latency {
	durations := make([]time.Duration, len(all))
	for i, t := range all {
		durations[i] = part(t)
	}
	slices.Sort(durations)
	at := func(q float64) float64 { return millis(durations[int(q*float64(len(durations)-1))]) }
	return latency{name, at(.50), at(.95), at(.99)}
}

// record lets Linux perf sample the server for a while: perf report -i FILE.
func record(ctx context.Context, pid int, file string, duration time.Duration) error {
	cmd := exec.CommandContext(ctx, "perf", "record", "-q", "-F", "499", "-g", "-p", strconv.Itoa(pid), "-o", file,
		"--", "sleep", strconv.Itoa(int(duration.Seconds())))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }()
	return nil
}
