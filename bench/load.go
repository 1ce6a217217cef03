package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// person is somebody with an address.
type person struct {
	email   string
	network string // the IP address they come from, "" for this machine's
}

// people are the accounts. Sign-ins go through them in turn, so that one address
// is never in two sign-ins at once.
type people struct {
	count    int
	networks bool
	turn     atomic.Int64
}

func (p *people) next() person {
	i := int(p.turn.Add(1)-1) % p.count
	one := person{email: fmt.Sprintf("person%06d@example.com", i)}
	if p.networks {
		one.network = fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255)
	}
	return one
}

// load is a number of users who sign in again and again.
type load struct {
	app     *app
	mails   *sink
	people  *people
	clients int
}

// register makes the accounts.
func (l load) register(ctx context.Context) error {
	_, err := l.run(ctx, "register", l.people.count, nil)
	return err
}

// run signs people in until count have, or, with count 0, until stop is closed.
// The first failure ends it. It gives the sign-ins in no order.
func (l load) run(ctx context.Context, screen string, count int, stop <-chan struct{}) ([]timing, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var left atomic.Int64
	left.Store(int64(count))
	over := func() bool {
		select {
		case <-stop:
			return true
		case <-ctx.Done():
			return true
		default:
			return count > 0 && left.Add(-1) < 0
		}
	}
	all := make([][]timing, l.clients)
	var users sync.WaitGroup
	for i := range all {
		users.Go(func() {
			t := newTransport()
			defer t.CloseIdleConnections()
			for !over() {
				one, err := l.app.run(ctx, t, l.mails, l.people.next(), screen)
				if err != nil {
					cancel(err) // the first one stays
					return
				}
				all[i] = append(all[i], one)
			}
		})
	}
	users.Wait()
	var joined []timing
	for _, some := range all {
		joined = append(joined, some...)
	}
	return joined, context.Cause(ctx)
}

// window lets the users sign in, and calls begin after the warm-up and end a
// duration later, while the load goes on. It gives the sign-ins that ended
// between the two.
func (l load) window(ctx context.Context, warmup, duration time.Duration, begin, end func() error) ([]timing, time.Duration, error) {
	stop := make(chan struct{})
	type outcome struct {
		all []timing
		err error
	}
	finished := make(chan outcome, 1)
	go func() {
		all, err := l.run(ctx, "sign_in", 0, stop)
		finished <- outcome{all, err}
	}()
	var marks [2]time.Time
	for i, one := range []struct {
		after time.Duration
		do    func() error
	}{{warmup, begin}, {duration, end}} {
		select {
		case o := <-finished:
			return nil, 0, o.err
		case <-time.After(one.after):
		}
		marks[i] = time.Now()
		if err := one.do(); err != nil {
			close(stop)
			<-finished
			return nil, 0, err
		}
	}
	close(stop)
	o := <-finished
	var inside []timing
	for _, t := range o.all {
		if t.end.After(marks[0]) && !t.end.After(marks[1]) {
			inside = append(inside, t)
		}
	}
	if o.err == nil && len(inside) == 0 {
		o.err = fmt.Errorf("no sign-in ended within %s", duration)
	}
	return inside, marks[1].Sub(marks[0]), o.err
}
