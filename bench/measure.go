package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"idp/bench/internal/proc"
)

// result is what was measured on one engine.
type result struct {
	Engine  string `json:"engine"`
	Version string `json:"version"`
	Start   starts `json:"start"`
	IdleRSS int64  `json:"idleRSSBytes"`
	Asked   *asked `json:"asked,omitempty"` // nothing is known of SQLite, which is inside the program
	Runs    []run  `json:"runs"`            // cheapest first
}

// starts are times from exec to the first 200, in milliseconds.
type starts struct {
	First  readiness `json:"firstMillis"` // makes the signing keys; the schema is there
	Best   readiness `json:"bestMillis"`  // of the later ones
	Median readiness `json:"medianMillis"`
}

type readiness struct {
	Healthz float64 `json:"healthz"`
	Readyz  float64 `json:"readyz"`
}

// laterStarts is how many starts the best and the median are of.
const laterStarts = 7

// settle is how long a started server is left alone before its memory is read.
const settle = 2 * time.Second

// measure does everything on one engine.
func measure(ctx context.Context, o options, engine, dir string) (r result, err error) {
	r.Engine = engine
	dir = filepath.Join(dir, engine)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return r, err
	}
	progress("%s: setting up", engine)
	db, err := openDatabase(ctx, engine, dir)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	if r.Version, err = db.version(ctx); err != nil {
		return r, err
	}
	mails, err := newSink()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, mails.close()) }()

	address, err := freeAddress()
	if err != nil {
		return r, err
	}
	p := program{path: o.Binary, dir: dir, env: environment(o, address, db.settings())}
	client, err := p.register(ctx, mails, "http://"+address)
	if err != nil {
		return r, err
	}
	l := load{app: client, mails: mails, clients: o.Clients, people: &people{count: o.Users, networks: o.IPLimits}}
	if err := r.firstStart(ctx, p, l); err != nil {
		return r, err
	}
	if pg, ok := db.(*served); ok {
		if r.Asked, err = countAsked(ctx, p, pg, l); err != nil {
			return r, err
		}
	}
	s, err := r.laterStarts(ctx, p, l.app.endpoint)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if r.IdleRSS, _, err = proc.Memory(s.pid()); err != nil {
		return r, err
	}
	for i := range o.BestOf {
		progress("%s: run %d of %d", engine, i+1, o.BestOf)
		profile := ""
		if i == 0 && o.Perf != "" {
			profile = o.Perf
			if len(o.Engines) > 1 {
				profile += "-" + engine
			}
		}
		one, err := measureRun(ctx, o, db, s, l, profile)
		if err != nil {
			return r, err
		}
		r.Runs = append(r.Runs, one)
	}
	slices.SortFunc(r.Runs, func(a, b run) int { return int((a.CPU() - b.CPU()) * 1e6) })
	return r, nil
}

// environment are the settings of the program: the limits are there, and so large
// that they never refuse.
func environment(o options, address string, db []string) []string {
	env := append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"IDP_ENDPOINT=http://" + address, "IDP_LISTEN=" + address, "IDP_LOG_FORMAT=json",
		"IDP_LIMIT_RECIPIENT_SENDS=100000/h,1000000/24h", "IDP_LIMIT_UNKNOWN_SENDS=100000/h,1000000/24h",
	}, db...)
	if o.IPLimits {
		return append(env, "IDP_TRUSTED_PROXIES=127.0.0.1/32")
	}
	return append(env, "IDP_LIMIT_IP_SENDS=off", "IDP_LIMIT_IP_GUESSES=off")
}

// firstStart starts the server for the first time and registers the accounts.
func (r *result) firstStart(ctx context.Context, p program, l load) (err error) {
	s, err := p.serve(ctx, l.app.endpoint)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	r.Start.First = s.readiness()
	progress("%s: registering %d accounts", r.Engine, l.people.count)
	return l.register(ctx)
}

// laterStarts starts the server again and again, and leaves the last one running.
func (r *result) laterStarts(ctx context.Context, p program, endpoint string) (s *server, err error) {
	progress("%s: starting %d times", r.Engine, laterStarts)
	var health, ready []float64
	for i := range laterStarts {
		if s, err = p.serve(ctx, endpoint); err != nil {
			return nil, err
		}
		one := s.readiness()
		health, ready = append(health, one.Healthz), append(ready, one.Readyz)
		if i < laterStarts-1 {
			if err := s.stop(); err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(health)
	slices.Sort(ready)
	r.Start.Best = readiness{health[0], ready[0]}
	r.Start.Median = readiness{health[laterStarts/2], ready[laterStarts/2]}
	time.Sleep(settle)
	return s, nil
}

func (s *server) readiness() readiness { return readiness{millis(s.healthz), millis(s.readyz)} }

func millis(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
