package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"idp/bench/internal/proc"
)

// result is what was measured on one engine.
type result struct {
	Engine  string `json:"engine"`
	Version string `json:"version"`
	Start   starts `json:"start,omitzero"`
	IdleRSS int64  `json:"idleRSSBytes,omitempty"`
	Asked   *asked `json:"asked,omitempty"` // nothing is known of SQLite, which is inside the program
	Runs    []run  `json:"runs,omitempty"`  // cheapest first

	Endpoints []endpointResult `json:"endpoints,omitempty"` // with -endpoints, which measures nothing else
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
	st, err := setUp(ctx, o, engine, dir)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	r.Engine = engine
	if r.Version, err = st.db.version(ctx); err != nil {
		return r, err
	}
	if o.Endpoints {
		r.Endpoints, err = measureEndpoints(ctx, o, st)
		return r, err
	}
	client, err := st.client(ctx, "traditional", "openid profile email")
	if err != nil {
		return r, err
	}
	v := st.visitors(client)
	if err := r.firstStart(ctx, st, v.signIn(o.Clients, "register")); err != nil {
		return r, err
	}
	if err := st.fill(ctx, o.Filled); err != nil {
		return r, err
	}
	l := v.signIn(o.Clients, "sign_in")
	if pg, ok := st.db.(*served); ok {
		if r.Asked, err = countAsked(ctx, st.program, pg, st.endpoint, l); err != nil {
			return r, err
		}
	}
	s, err := r.laterStarts(ctx, st.program, st.endpoint)
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
		if i == 0 {
			profile = o.profile(engine)
		}
		one, err := measureRun(ctx, o, st.db, s, l, profile)
		if err != nil {
			return r, err
		}
		r.Runs = append(r.Runs, one)
	}
	slices.SortFunc(r.Runs, func(a, b run) int { return cmp.Compare(a.CPU(), b.CPU()) })
	return r, nil
}

// firstStart starts the server for the first time and registers the accounts.
func (r *result) firstStart(ctx context.Context, st *stage, register load) (err error) {
	s, err := st.program.serve(ctx, st.endpoint)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	r.Start.First = s.readiness()
	progress("%s: registering %d accounts", r.Engine, st.people.count)
	_, err = register.run(ctx, st.people.count, nil)
	return err
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
