package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"idp/bench/internal/wire"
)

// asked is what one sign-in asks of Postgres, counted between the two.
type asked struct {
	SignIns    int         `json:"signIns"`
	Statements float64     `json:"statements"` // per sign-in
	RoundTrips float64     `json:"roundTrips"`
	ByText     []statement `json:"byText"` // most frequent first
}

type statement struct {
	PerSignIn float64 `json:"perSignIn"`
	SQL       string  `json:"sql"`
}

// How many sign-ins are counted, after how many that prepare the statements.
const (
	askedWarmup = 200
	askedCount  = 1000
)

// countAsked counts what sign-ins ask for, in a pass of its own, because the
// counting costs time.
func countAsked(ctx context.Context, p program, pg *served, endpoint string, l load) (a *asked, err error) {
	progress("postgres: counting the statements of %d sign-ins", askedCount)
	proxy, url, err := wire.Listen(pg.cluster.URL())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, proxy.Close()) }()
	p.env = append(slices.Clone(p.env), pg.settingsAt(url)...) // the later value holds
	s, err := p.serve(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if _, err := l.run(ctx, askedWarmup, nil); err != nil {
		return nil, err
	}
	time.Sleep(100 * time.Millisecond) // what follows a sign-in in the background
	proxy.Reset()
	if _, err := l.run(ctx, askedCount, nil); err != nil {
		return nil, err
	}
	time.Sleep(100 * time.Millisecond)
	counts := proxy.Counts()
	a = &asked{SignIns: askedCount, Statements: float64(counts.Statements) / askedCount, RoundTrips: float64(counts.RoundTrips) / askedCount}
	for sql, n := range counts.ByText {
		a.ByText = append(a.ByText, statement{float64(n) / askedCount, sql})
	}
	slices.SortFunc(a.ByText, func(x, y statement) int {
		return cmp.Or(cmp.Compare(y.PerSignIn, x.PerSignIn), cmp.Compare(x.SQL, y.SQL))
	})
	return a, nil
}
