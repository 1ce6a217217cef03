package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"idp/store/sqlstore"
)

// idle sends one mail at a time.
func (b *mailbench) idle(ctx context.Context, _ options, f *mailFigures) error {
	var letters []letter
	for i := range 200 {
		l, err := b.commit(ctx, i, 10*time.Minute)
		if err != nil {
			return err
		}
		b.hand(l)
		letters = append(letters, l)
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	list, err := b.arrivals(ctx)
	f.IdleP50, f.IdleP99 = delays(letters, list)
	return err
}

// steady sends 500 mails a second for ten seconds and looks at how many wait.
func (b *mailbench) steady(ctx context.Context, _ options, f *mailFigures) error {
	const rate, seconds = 500, 10
	f.Steady = rate
	letters := make([]letter, rate*seconds)
	var made, failed atomic.Int64
	var hands sync.WaitGroup
	start := time.Now()
	for k := range 16 {
		hands.Go(func() {
			for i := k; i < len(letters); i += 16 {
				time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / rate)))
				l, err := b.commit(ctx, i, 10*time.Minute)
				if err != nil {
					failed.Add(1)
					return
				}
				letters[i] = l
				b.hand(l)
				made.Add(1)
			}
		})
	}
	ended := make(chan struct{})
	go func() { hands.Wait(); close(ended) }()
	for looking := true; looking; {
		select {
		case <-ended:
			looking = false
		case <-time.After(200 * time.Millisecond):
			arrived := 0
			before := int(made.Load())
			if err := b.fake.ask(ctx, "count", &arrived); err != nil {
				return err
			}
			f.SteadyMost = max(f.SteadyMost, before-arrived)
		}
	}
	if failed.Load() > 0 {
		return fmt.Errorf("%d challenges could not be begun", failed.Load())
	}
	list, err := b.arrivals(ctx)
	f.SteadyP50, f.SteadyP99 = delays(letters, list)
	return err
}

// fill writes the rows of count mails that no replica holds, beside the challenges that
// they would come with: those are not measured here.
func (b *mailbench) fill(ctx context.Context, count int, ttl func(i int) time.Duration) error {
	const batch = 500
	for i := 0; i < count; i += batch {
		var s sqlstore.Script
		for k := i; k < min(i+batch, count); k++ {
			l, err := b.seal(k, ttl(k), false)
			if err != nil {
				return err
			}
			now := b.db.Now()
			s.Do(`
				INSERT INTO mail (id, challenge, usage, payload, decoy, state, attempts, worker, due_at, created_at, expires_at, sender, provider_id, error)
				VALUES ($1, $2, $3, $4, 0, 1, 0, $5, $6, $6, $7, '', '', '')`,
				l.mail.ID[:], l.challenge[:], string(l.mail.Usage), l.mail.Payload, l.mail.Worker[:], now.UnixMicro(), now.Add(l.mail.TTL).UnixMicro())
		}
		if err := b.engine.Run(ctx, &s); err != nil {
			return err
		}
	}
	return nil
}

// drain sends mails that wait, as fast as it goes: what is measured is claiming,
// opening, wording, signing, sending and settling, and nothing else.
func (b *mailbench) drain(ctx context.Context, o options, f *mailFigures) error {
	if err := b.stop(); err != nil {
		return err
	}
	if err := b.fill(ctx, o.Mails, func(int) time.Duration { return 30 * time.Minute }); err != nil {
		return err
	}
	own, database, err := b.used(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := b.start(); err != nil {
		return err
	}
	list, err := b.arrivals(ctx)
	if err != nil {
		return err
	}
	took := time.Since(start)
	ownAfter, databaseAfter, err := b.used(ctx)
	if len(list) != o.Mails {
		return fmt.Errorf("%d of %d mails came", len(list), o.Mails)
	}
	f.Drain = float64(o.Mails) / took.Seconds()
	f.DrainCPU = (ownAfter - own) / time.Duration(o.Mails)
	f.DrainDatabaseCPU = (databaseAfter - database) / time.Duration(o.Mails)
	return err
}

const (
	brief  = 30 * time.Second // a life that ends during the outage
	atOnce = 128              // twice the workers
)

// outage has the provider down while a backlog grows, and looks at what comes when it
// is up again: in which order, how soon, and what was dropped.
func (b *mailbench) outage(ctx context.Context, o options, f *mailFigures) error {
	f.Backlog = o.Backlog
	if err := b.fake.ask(ctx, "down", nil); err != nil {
		return err
	}
	start := time.Now()
	ends := make([]time.Time, o.Backlog)
	// Lives of 10 to 40 minutes in no order, and a hundredth that will be over too soon.
	ttl := func(i int) time.Duration {
		life := time.Duration(10+(i*7919)%30)*time.Minute + time.Duration(i%997)*10*time.Millisecond
		if i%100 == 0 {
			life = brief // its last call is a quarter of it before the end
		}
		ends[i] = time.Now().Add(life)
		return life
	}
	if err := b.fill(ctx, o.Backlog, ttl); err != nil {
		return err
	}
	if err := pause(ctx, max(0, 25*time.Second-time.Since(start))); err != nil {
		return err
	}
	if err := b.fake.ask(ctx, "up", nil); err != nil {
		return err
	}
	up := time.Now()
	list, err := b.arrivals(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	came := make([]time.Time, len(list)) // the ends of the lives, as they came
	for place, a := range list {
		var i int
		if _, err := fmt.Sscanf(a.To, "p%d@", &i); err != nil {
			return err
		}
		if seen[a.To] {
			f.Twice++
		}
		seen[a.To] = true
		came[place] = ends[i]
		if ends[i].Sub(time.UnixMicro(a.At)) < min(time.Minute, brief/4) {
			f.Late++
		}
	}
	right := slices.SortedFunc(slices.Values(came), func(a, b time.Time) int { return b.Compare(a) })
	misplaced := 0
	for place, end := range came {
		// As many as are under way at once change places freely.
		if end.Before(right[min(place+atOnce, len(right)-1)]) || end.After(right[max(place-atOnce, 0)]) {
			misplaced++
		}
	}
	f.Dropped = o.Backlog - len(seen)
	f.OutOfOrder = float64(misplaced) / float64(len(list))
	f.Recovered = time.UnixMicro(list[0].At).Sub(up)
	f.BacklogTook = time.UnixMicro(list[len(list)-1].At).Sub(up)
	return nil
}

func (f mailFigures) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(what, format string, args ...any) {
		fmt.Fprintf(w, "%s\t"+format+"\n", append([]any{what}, args...)...)
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1e3) }
	fmt.Fprintf(w, "\n%s\n", f.Engine)
	line("one at a time, commit to provider, p50 / p99", "%s / %s", ms(f.IdleP50), ms(f.IdleP99))
	line(fmt.Sprintf("%d a second, p50 / p99", f.Steady), "%s / %s", ms(f.SteadyP50), ms(f.SteadyP99))
	line("  most mails that waited", "%d", f.SteadyMost)
	line("as fast as it goes", "%.0f a second", f.Drain)
	line("  CPU per mail, of the server / of the database", "%d / %d µs", f.DrainCPU.Microseconds(), f.DrainDatabaseCPU.Microseconds())
	line(fmt.Sprintf("%d mails after an outage: first / last", f.Backlog), "%s / %.1f s", ms(f.Recovered), f.BacklogTook.Seconds())
	line("  dropped / sent too late / sent twice", "%d / %d / %d", f.Dropped, f.Late, f.Twice)
	line("  out of their order by over 128 places", "%.2f %%", 100*f.OutOfOrder)
	return w.Flush()
}
