package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// timing is how long each step of one action took, and when it ended.
type timing struct {
	steps []time.Duration
	end   time.Time
}

func (t timing) total() (sum time.Duration) {
	for _, d := range t.steps {
		sum += d
	}
	return sum
}

// action is what a user does again and again.
type action func(ctx context.Context) (timing, error)

// load is a number of users at work at the same time.
type load struct {
	clients int
	user    func(i int, t *http.Transport) action // of one user, on connections of their own
}

// run lets the users work until count actions are done, or, with count 0, until stop
// is closed. The first failure ends it. It gives the actions in no order.
func (l load) run(ctx context.Context, count int, stop <-chan struct{}) ([]timing, error) {
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
			do := l.user(i, t)
			for !over() {
				one, err := do(ctx)
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

// window lets the users work, and calls begin after the warm-up and end a duration
// later, while the load goes on. It gives the actions that ended between the two.
func (l load) window(ctx context.Context, warmup, duration time.Duration, begin, end func() error) ([]timing, time.Duration, error) {
	stop := make(chan struct{})
	type outcome struct {
		all []timing
		err error
	}
	finished := make(chan outcome, 1)
	go func() {
		all, err := l.run(ctx, 0, stop)
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
		o.err = fmt.Errorf("nothing was done within %s", duration)
	}
	return inside, marks[1].Sub(marks[0]), o.err
}
