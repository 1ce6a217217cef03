package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/google/pprof/profile"
)

// profileOnAll has people register and sign in on each engine, and writes the CPU profile of both,
// from which the compiler of a release learns what is hot.
func profileOnAll(ctx context.Context, o options, dir string) error {
	var all []*profile.Profile
	for _, engine := range o.Engines {
		one, err := profileOn(ctx, o, engine, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
		all = append(all, one)
	}
	merged, err := profile.Merge(all)
	if err != nil {
		return err
	}
	merged = forCompiler(merged)
	if err := merged.CheckValid(); err != nil {
		return err
	}
	f, err := os.Create(o.Profile)
	if err != nil {
		return err
	}
	if err := errors.Join(merged.Write(f), f.Close()); err != nil {
		return err
	}
	progress("%s: %d stacks", o.Profile, len(merged.Sample))
	return nil
}

// profileOn profiles the sign-ins on one engine.
func profileOn(ctx context.Context, o options, engine, dir string) (p *profile.Profile, err error) {
	st, err := setUp(ctx, o, engine, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	client, err := st.client(ctx, "traditional", "openid profile email")
	if err != nil {
		return nil, err
	}
	private, err := freeAddress()
	if err != nil {
		return nil, err
	}
	st.program.env = append(st.program.env, "IDP_METRICS_LISTEN="+private)
	s, err := st.program.serve(ctx, st.endpoint)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	v := st.visitors(client)
	progress("%s: registering %d accounts", engine, o.Users)
	if _, err := v.signIn(o.Clients, "register").run(ctx, o.Users, nil); err != nil {
		return nil, err
	}
	progress("%s: profiling sign-ins for %s", engine, o.Duration)
	type outcome struct {
		profile *profile.Profile
		err     error
	}
	got := make(chan outcome, 1)
	begin := func() error {
		go func() {
			one, err := fetchProfile(ctx, private, o.Duration)
			got <- outcome{one, err}
		}()
		return nil
	}
	var one outcome
	end := func() error {
		one = <-got
		return one.err
	}
	if _, _, err := v.signIn(o.Clients, "sign_in").window(ctx, o.Warmup, o.Duration, begin, end); err != nil {
		return nil, err
	}
	return one.profile, nil
}

// fetchProfile has the server profile itself.
func fetchProfile(ctx context.Context, private string, duration time.Duration) (*profile.Profile, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", private, int(duration.Seconds())), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("/debug/pprof/profile answers %s", resp.Status)
	}
	return profile.Parse(resp.Body)
}

// forCompiler leaves of a profile what the compiler reads, which is functions, lines and how often:
// no addresses, no files, nothing of the machine that it was taken on.
func forCompiler(p *profile.Profile) *profile.Profile {
	p.Mapping, p.Comments = nil, nil
	p.TimeNanos, p.DurationNanos = 0, 0
	for _, l := range p.Location {
		l.Mapping, l.Address = nil, 0
	}
	for _, f := range p.Function {
		f.Filename, f.SystemName = "", f.Name
	}
	for _, s := range p.Sample {
		s.Label, s.NumLabel, s.NumUnit = nil, nil, nil
	}
	return p.Compact()
}
