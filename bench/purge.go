package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

const (
	purgeOwners   = 10_000           // accounts, at the least, whom expired rows are of
	expiredAgo    = 60 * day         // the newest expired row
	expiredBefore = 35 * day         // what is dead for longer is an expired row, and not of the sign-ins
	purgePatience = 5 * time.Minute  // what is not gone by then is told
	purgeBegins   = 30 * time.Second // after a start; the server waits at most 15 s
)

// expired are the tables that have expired rows, a quarter of them each, and the column that
// tells so.
var expired = []struct{ table, column string }{
	{"challenge", "expires_at"}, {"mail", "created_at"}, {"session", "expires_at"}, {"budget", "tat"},
}

// purged are the parts of what expired whose end is told.
var purged = []struct {
	left float64
	name string
}{{.5, "half"}, {.1, "nine tenths"}, {.01, "99 %"}, {0, "all"}}

var errPatience = errors.New("it did not happen in time")

// purgeOnAll measures sign-ins beside a purge on each engine.
func purgeOnAll(ctx context.Context, o options, dir string) error {
	m := describeMachine()
	fmt.Printf("%s, %d cores, %s, %s; %d users at once; load %s\n", m.CPU, m.Cores, m.System, m.Go, o.Clients, machineLoad())
	for _, engine := range o.Engines {
		if err := purgeOn(ctx, o, engine, dir, os.Stdout); err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
	}
	return nil
}

func purgeOn(ctx context.Context, o options, engine, dir string, out io.Writer) (err error) {
	st, err := setUp(ctx, o, engine, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	client, err := st.client(ctx, "traditional", "openid profile email")
	if err != nil {
		return err
	}
	v, accounts := st.visitors(client), max(o.Filled, purgeOwners)
	r := result{Engine: engine}
	if err := r.firstStart(ctx, st, v.signIn(o.Clients, "register")); err != nil {
		return err
	}
	if err := st.fill(ctx, accounts); err != nil {
		return err
	}
	l := v.signIn(o.Clients, "sign_in")
	p := &purge{o: o, st: st, load: l, table: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	fmt.Fprintf(p.table, "%s\tsign-ins a second\tCPU ms\tp50 ms\tp99 ms\texpired rows, before\tafter\tload\t\n", engine)
	if err := p.without(ctx); err != nil {
		return err
	}
	if err := p.expire(ctx, accounts); err != nil {
		return err
	}
	gone, err := p.with(ctx)
	if err != nil {
		return err
	}
	if err := p.table.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d expired rows: %s\n", o.Purge, gone)
	return err
}

// purge is one measurement.
type purge struct {
	o     options
	st    *stage
	load  load
	table *tabwriter.Writer
}

// without measures sign-ins with nothing to remove.
func (p *purge) without(ctx context.Context) error {
	s, err := p.st.program.serve(ctx, p.st.endpoint)
	if err != nil {
		return err
	}
	for range p.o.BestOf {
		if err := p.line(ctx, s, "without", func() (int, error) { return 0, nil }); err != nil {
			return errors.Join(err, s.stop())
		}
	}
	return s.stop()
}

// expire writes the expired rows.
func (p *purge) expire(ctx context.Context, accounts int) (err error) {
	f, err := p.st.filler(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.engine.Close()) }()
	for _, e := range expired {
		for _, b := range grown {
			if b.table == e.table {
				b.back = 50 * day
				err = errors.Join(err, f.write(ctx, b, p.o.Purge/len(expired), filling{accounts: accounts, salt: 1, ago: expiredAgo}))
			}
		}
	}
	return errors.Join(err, f.tidy(ctx))
}

// with measures sign-ins from when the server has begun to remove, and goes on with them until
// all is gone.
func (p *purge) with(ctx context.Context) (gone string, err error) {
	f, err := p.st.filler(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.engine.Close()) }()
	left := func() (int, error) { return f.expired(ctx) }
	s, err := p.st.program.serve(ctx, p.st.endpoint)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	all, err := left()
	if err != nil {
		return "", err
	}
	if err := waitUntil(ctx, purgeBegins, 100*time.Millisecond, func() (bool, error) { n, err := left(); return n < all, err }); err != nil {
		return "", fmt.Errorf("nothing is removed: %w", err)
	}
	began := time.Now()
	for range p.o.BestOf {
		if err := p.line(ctx, s, "with", left); err != nil {
			return "", err
		}
	}
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := p.load.run(ctx, 0, stop)
		ended <- err
	}()
	var marks []string
	rest := 0
	err = waitUntil(ctx, purgePatience, 2*time.Second, func() (bool, error) {
		n, err := left()
		if err != nil {
			return false, err
		}
		rest = n
		for _, part := range purged[len(marks):] {
			if float64(n) <= part.left*float64(all) {
				marks = append(marks, fmt.Sprintf("%s gone within %s", part.name, time.Since(began).Round(time.Second)))
			}
		}
		return n == 0, nil
	})
	if errors.Is(err, errPatience) {
		marks, err = append(marks, fmt.Sprintf("%d left after %s", rest, time.Since(began).Round(time.Second))), nil
	}
	close(stop)
	return strings.Join(marks, ", "), errors.Join(err, <-ended)
}

// line measures a window and writes its line.
func (p *purge) line(ctx context.Context, s *server, name string, left func() (int, error)) error {
	before, err := left()
	if err != nil {
		return err
	}
	r, err := measureRun(ctx, p.o, p.st.db, s, p.load, "")
	if err != nil {
		return err
	}
	after, err := left()
	if err != nil {
		return err
	}
	progress("%s: %s: %d expired rows left", p.st.engine, name, after)
	_, err = fmt.Fprintf(p.table, "%s\t%.0f\t%.2f\t%.0f\t%.0f\t%d\t%d\t%s\t\n", name, r.PerSecond, r.CPU(), r.Total.P50, r.Total.P99, before, after, machineLoad())
	return err
}

// expired counts the rows that are still there.
func (f *filler) expired(ctx context.Context) (n int, err error) {
	before := time.Now().Add(-expiredBefore).UnixMicro()
	for _, e := range expired {
		one := 0
		if err := f.engine.Read(ctx, `SELECT COUNT(*) FROM `+e.table+` WHERE `+e.column+` < $1`, []any{before},
			func(scan func(...any) error) error { return scan(&one) }); err != nil {
			return 0, err
		}
		n += one
	}
	return n, nil
}

// waitUntil asks again and again.
func waitUntil(ctx context.Context, patience, every time.Duration, done func() (bool, error)) error {
	for end := time.Now().Add(patience); ; {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if time.Now().After(end) {
			return errPatience
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(every):
		}
	}
}

// machineLoad is what all that runs on the machine makes of its cores, over a minute.
func machineLoad() string {
	text, _ := os.ReadFile("/proc/loadavg")
	load, _, _ := strings.Cut(string(text), " ")
	return load
}
