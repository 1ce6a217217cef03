package main

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
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

// visitors are people who sign in to an application.
type visitors struct {
	app    *app
	mails  *sink
	people *people
}

// signIn makes the load of signing in. screen is "sign_in" or "register".
func (v visitors) signIn(clients int, screen string) load {
	return v.signInAnd(clients, screen, func(*signIn) {})
}

// signInAnd gives each sign-in that worked to keep, which is called by all users at
// once.
func (v visitors) signInAnd(clients int, screen string, keep func(*signIn)) load {
	return load{clients, func(_ int, t *http.Transport) action {
		return func(ctx context.Context) (timing, error) {
			s := v.app.begin(t, v.mails, v.people.next())
			done, err := s.run(ctx, screen)
			if err == nil {
				keep(s)
			}
			return done, err
		}
	}}
}
