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

// reading is what all processes have used so far.
type reading struct {
	server, driver time.Duration
	database       usage
}

func read(ctx context.Context, db database, s *server) (r reading, err error) {
	stat, err := proc.Read(s.pid())
	if err != nil {
		return r, err
	}
	r.server = stat.Self
	if r.driver, err = ownCPU(); err != nil {
		return r, err
	}
	r.database, err = db.usage(ctx)
	return r, err
}

// measureRun measures the reference and then one window of load.
func measureRun(ctx context.Context, o options, db database, s *server, l load, profile string) (r run, err error) {
	if r.Reference, err = measureReference(ctx, db, o.Clients); err != nil {
		return r, err
	}
	var before, after reading
	ended := make(chan struct{})
	highest := make(chan int64, 1)
	begin := func() (err error) {
		go func() { highest <- watchMemory(s.pid(), ended) }()
		if profile != "" {
			if err := record(ctx, s.pid(), profile, o.Duration); err != nil {
				return err
			}
		}
		before, err = read(ctx, db, s)
		return err
	}
	end := func() (err error) {
		after, err = read(ctx, db, s)
		return err
	}
	inside, took, err := l.window(ctx, o.Warmup, o.Duration, begin, end)
	close(ended)
	if err != nil {
		return r, err
	}
	r.RSS = <-highest
	if _, r.PeakRSS, err = proc.Memory(s.pid()); err != nil {
		return r, err
	}
	n := float64(len(inside))
	r.SignIns, r.PerSecond = len(inside), n/took.Seconds()
	r.ServerCPU = millis(after.server-before.server) / n
	r.DriverCPU = millis(after.driver-before.driver) / n
	r.PostgresCPU = millis(after.database.cpu-before.database.cpu) / n
	r.Commits = float64(after.database.commits-before.database.commits) / n
	r.Writes = float64(after.database.writes-before.database.writes) / n
	r.latencies(inside)
	return r, nil
}

func (r *run) latencies(all []timing) {
	of := func(name string, part func(timing) time.Duration) latency {
		durations := make([]time.Duration, len(all))
		for i, t := range all {
			durations[i] = part(t)
		}
		slices.Sort(durations)
		at := func(q float64) float64 { return millis(durations[int(q*float64(len(durations)-1))]) }
		return latency{name, at(.50), at(.95), at(.99)}
	}
	r.Total = of("sign-in", timing.total)
	for i, name := range stepNames {
		r.Steps = append(r.Steps, of(name, func(t timing) time.Duration { return t.steps[i] }))
	}
}

// watchMemory gives the highest resident memory until ended.
func watchMemory(pid int, ended <-chan struct{}) (highest int64) {
	for {
		if now, _, err := proc.Memory(pid); err == nil {
			highest = max(highest, now)
		}
		select {
		case <-ended:
			return highest
		case <-time.After(200 * time.Millisecond):
		}
	}
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
