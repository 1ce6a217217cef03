package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// endpoint is one that an application calls all day.
type endpoint struct {
	name   string
	ask    func(*grant, context.Context, *http.Client) error
	floor  float64 // CPU of a bare handler for it on the machine of the design, µs; 0: not measured
	kind   string  // type of the client that asks; "": traditional
	signs  bool    // a token with ES256
	static bool    // needs nothing of the database
}

// endpoints are measured in this order: what is revoked is of no use afterwards.
var endpoints = []endpoint{
	{name: "refresh, token stays", ask: (*grant).refresh, floor: 75, signs: true},
	{name: "refresh, token replaced", ask: (*grant).refresh, floor: 75, signs: true, kind: "native"},
	{name: "client_credentials", ask: (*grant).credentials, floor: 75, signs: true, static: true, kind: "m2m"},
	{name: "userinfo", ask: (*grant).userinfo, floor: 20},
	{name: "introspection", ask: (*grant).introspect},
	{name: "discovery", ask: (*grant).discovery, floor: 21, static: true},
	{name: "jwks", ask: (*grant).keys, static: true},
	{name: "revocation", ask: (*grant).revoke},
}

// endpointResult is what was measured of one endpoint.
type endpointResult struct {
	Name string        `json:"name"`
	Runs []endpointRun `json:"runs"` // cheapest first
}

// endpointRun is one measured window. CPU times are microseconds per request.
type endpointRun struct {
	Requests    int       `json:"requests"`
	PerSecond   float64   `json:"requestsPerSecond"`
	ServerCPU   float64   `json:"serverCPUMicros"`
	PostgresCPU float64   `json:"postgresCPUMicros"`
	DriverCPU   float64   `json:"driverCPUMicros"`
	Target      float64   `json:"targetMicros,omitempty"` // by the floor of the design's machine
	TargetHere  float64   `json:"targetHereMicros"`       // by a floor of this run
	Commits     float64   `json:"commits"`                // per request, reads included
	Writes      float64   `json:"writes"`                 // per request: transactions that wrote
	Latency     latency   `json:"latency"`
	Reference   reference `json:"reference"`
}

// CPU is what a request costs, server and database together.
func (r endpointRun) CPU() float64 { return r.ServerCPU + r.PostgresCPU }

// targets are what a request may cost: one and a half times its floor, and a round
// trip to the database if it needs one. The floor of this run is the empty handler and, where an ID
// token is made, its signature.
func (e endpoint) targets(r reference) (design, here float64) {
	const times = 1.5
	trip := 0.0
	if !e.static {
		trip = r.SelectOneClient + r.SelectOneServer
	}
	if e.floor != 0 {
		design = times*e.floor + trip
	}
	return design, times*(r.EmptyHandler+r.Signature) + trip
}

// measureEndpoints measures one endpoint after the other on one engine.
func measureEndpoints(ctx context.Context, o options, st *stage) (results []endpointResult, err error) {
	s, err := st.program.serve(ctx, st.endpoint)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	grants := map[string][]*grant{}
	if grants[""], err = st.grants(ctx, o.Clients, "traditional", "register"); err != nil {
		return nil, err
	}
	if grants["native"], err = st.grants(ctx, o.Clients, "native", "sign_in"); err != nil {
		return nil, err
	}
	if grants["m2m"], err = st.machine(ctx, o.Clients); err != nil {
		return nil, err
	}
	for _, e := range endpoints {
		one := endpointResult{Name: e.name}
		for i := range o.BestOf {
			progress("%s: %s, run %d of %d", st.engine, e.name, i+1, o.BestOf)
			profile := ""
			if i == 0 {
				profile = o.profile(st.engine, e.name)
			}
			r, err := e.measure(ctx, o, st.db, s, grants[e.kind], profile)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.name, err)
			}
			one.Runs = append(one.Runs, r)
		}
		slices.SortFunc(one.Runs, func(a, b endpointRun) int { return cmp.Compare(a.CPU(), b.CPU()) })
		results = append(results, one)
	}
	return results, nil
}

// grants makes an application of a kind and signs all people in to it.
func (st *stage) grants(ctx context.Context, clients int, kind, screen string) (grants []*grant, err error) {
	progress("%s: signing %d people in to a %s client", st.engine, st.people.count, kind)
	a, err := st.client(ctx, kind, "openid profile email offline_access")
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	_, err = st.visitors(a).signInAnd(clients, screen, func(s *signIn) {
		mu.Lock()
		defer mu.Unlock()
		grants = append(grants, grantOf(s))
	}).run(ctx, st.people.count, nil)
	return grants, err
}

// machine makes a machine that may call the management API, which all users ask for.
func (st *stage) machine(ctx context.Context, clients int) ([]*grant, error) {
	a := &app{endpoint: st.endpoint}
	out, err := st.program.command(ctx, "client", "create", "--name", "Bench", "--type", "m2m", "--role", "Management API access", "--json")
	if err != nil {
		return nil, err
	}
	return slices.Repeat([]*grant{{app: a}}, clients), json.Unmarshal(out, a)
}

// load has each user ask for a share of the grants in turn, so that no grant is in
// two requests at once.
func (e endpoint) load(clients int, grants []*grant) load {
	return load{clients, func(i int, t *http.Transport) action {
		c := &http.Client{Transport: t, Timeout: 30 * time.Second}
		mine := grants[i*len(grants)/clients : (i+1)*len(grants)/clients]
		next := 0
		return func(ctx context.Context) (timing, error) {
			g := mine[next%len(mine)]
			next++
			start := time.Now()
			err := e.ask(g, ctx, c)
			end := time.Now()
			return timing{[]time.Duration{end.Sub(start)}, end}, err
		}
	}}
}

// measure measures the reference and then one window of load.
func (e endpoint) measure(ctx context.Context, o options, db database, s *server, grants []*grant, profile string) (r endpointRun, err error) {
	if r.Reference, err = measureReference(ctx, db, o.Clients); err != nil {
		return r, err
	}
	if e.signs {
		if r.Reference.Signature, err = signature(ctx, o.Clients); err != nil {
			return r, err
		}
	}
	w, err := measureWindow(ctx, o, db, s, e.load(o.Clients, grants), profile)
	if err != nil {
		return r, err
	}
	n := float64(len(w.all))
	r.Requests, r.PerSecond = len(w.all), w.perSecond()
	r.ServerCPU, r.DriverCPU, r.PostgresCPU = micros(w.each(w.server)), micros(w.each(w.driver)), micros(w.each(w.database.cpu))
	r.Commits, r.Writes = float64(w.database.commits)/n, float64(w.database.writes)/n
	r.Latency = latencyOf(e.name, w.all, timing.total)
	r.Target, r.TargetHere = e.targets(r.Reference)
	return r, nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
