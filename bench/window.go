package main

import (
	"context"
	"time"

	"idp/bench/internal/proc"
)

// spent is what a window of load has used.
type spent struct {
	all            []timing // what was done in it
	took           time.Duration
	server, driver time.Duration // CPU
	database       usage
	rss            int64 // of the server, highest
}

// each shares CPU time out to what was done.
func (s spent) each(cpu time.Duration) time.Duration { return cpu / time.Duration(len(s.all)) }

func (s spent) perSecond() float64 { return float64(len(s.all)) / s.took.Seconds() }

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

// measureWindow measures one window of load; profile is a file for Linux perf, or "".
func measureWindow(ctx context.Context, o options, db database, s *server, l load, profile string) (w spent, err error) {
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
	w.all, w.took, err = l.window(ctx, o.Warmup, o.Duration, begin, end)
	close(ended)
	if err != nil {
		return w, err
	}
	w.rss = <-highest
	w.server, w.driver = after.server-before.server, after.driver-before.driver
	w.database = usage{
		cpu:     after.database.cpu - before.database.cpu,
		commits: after.database.commits - before.database.commits,
		writes:  after.database.writes - before.database.writes,
	}
	return w, nil
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
