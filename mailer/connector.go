package mailer

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"idp/keyring"
	"idp/store"
)

// lines keeps a line for each connector until its configuration changes, so that
// connections stay open between mails.
type lines struct {
	kinds  Kinds
	sealer *keyring.Sealer
	config Config

	mu    sync.Mutex
	built map[string]*line
}

// line is a connector at work in this replica: its sender, its circuit breaker, its
// rate, and what its account may send.
type line struct {
	id      string
	updated time.Time
	sender  Sender
	err     error // why there is no sender; Misconfigured

	mu      sync.Mutex
	circuit circuit
	limiter limiter
	quota   quota
	row     row
	told    time.Time // when its health was written last
	changed bool      // its health since then
}

// quota is what is known of the connector's account.
type quota struct {
	Quota
	read     time.Time // zero: never
	asking   bool
	stale    bool // something happened that makes it worth asking again
	sent     int  // by this replica since it was read
	replicas int  // that share it, this one included
}

// inOrder gives the lines of the connectors in the order they are tried. Those whose
// day is nearly used up come last.
func (s *lines) inOrder(connectors []store.Connector) []*line {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all, last []*line
	for _, c := range connectors {
		if l := s.get(c); l.nearlyUsedUp() {
			last = append(last, l)
		} else {
			all = append(all, l)
		}
	}
	if len(s.built) > len(connectors) {
		s.forget(connectors)
	}
	return append(all, last...)
}

func (s *lines) get(c store.Connector) *line {
	l := s.built[c.ID]
	if l != nil && l.updated.Equal(c.UpdatedAt) {
		return l
	}
	s.letGo(l)
	now := time.Now()
	l = &line{id: c.ID, updated: c.UpdatedAt, changed: true, circuit: circuit{config: s.config, state: Closed, since: now}}
	l.quota.replicas = 1
	if l.sender, l.err = s.build(c); l.err != nil {
		l.err = &SendError{Class: Misconfigured, Err: l.err}
	}
	l.setRate()
	s.built[c.ID] = l
	return l
}

func (s *lines) forget(connectors []store.Connector) {
	for id, l := range s.built {
		if !slices.ContainsFunc(connectors, func(c store.Connector) bool { return c.ID == id }) {
			s.letGo(l)
			delete(s.built, id)
		}
	}
}

// letGo closes a sender once the mails that are under way with it have ended.
func (s *lines) letGo(l *line) {
	if l == nil {
		return
	}
	if c, ok := l.sender.(Closer); ok {
		time.AfterFunc(s.config.SendTimeout, func() { _ = c.Close() })
	}
}

func (s *lines) build(c store.Connector) (Sender, error) {
	config, err := s.sealer.Open(c.Sealed, []byte(c.ID))
	if err != nil {
		return nil, fmt.Errorf("open the configuration of connector %q: %w", c.ID, err)
	}
	return s.kinds.make(c.ID, config)
}

// lines gives the connectors' lines in order; none if there is no connector, or the
// database does not tell.
func (q *Queue) lines(ctx context.Context) []*line {
	connectors, err := q.store.Connectors(ctx)
	if err != nil {
		if ctx.Err() == nil {
			q.nagAboutReading(err)
		}
		return nil
	}
	if len(connectors) == 0 {
		return nil
	}
	return q.connectors.inOrder(connectors)
}

// enter asks for leave to send one mail.
func (l *line) enter(now time.Time) (ticket, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.circuit.enter(now)
	l.changed = l.changed || t.probe
	return t, ok
}

// ready tells whether mails go through it now, and if not, whether one may try.
func (l *line) ready(now time.Time) (closed, ripe bool, rate float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.circuit.state == Closed, l.circuit.ripe(now), l.limiter.rate(now)
}

// release gives a ticket back that led to no answer.
func (l *line) release(t ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.circuit.release(t)
}

// wait is how long the rate makes the next mail wait; reserve takes that place.
func (l *line) wait(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limiter.wait(now)
}

// place waits for a place and takes it; false if ctx ended first. It looks again while it
// waits: the rate may rise meanwhile, when the account's is read.
func (l *line) place(ctx context.Context) bool {
	for l.wait(time.Now()) > glance {
		if !sleep(ctx, glance) {
			return false
		}
	}
	return sleep(ctx, l.reserve(time.Now()))
}

func (l *line) reserve(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limiter.reserve(now)
}

// note takes down how an attempt for a mail ended; words are the error's, fit to be shown.
func (l *line) note(t ticket, j job, err error, words string) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.quota.sent++
		ended := l.row.taken()
		l.changed = l.circuit.answered(t, now, true) || ended || l.changed
		return
	}
	if ofOneMail(err) {
		l.changed = l.circuit.answered(t, now, false) || l.changed
		// Should it be every recipient, an operator has to see it.
		switch classOf(err) {
		case Misconfigured:
			l.circuit.lastError = words
			fallthrough
		case Rejected:
			l.changed = l.row.refused(now, j, words) || l.changed
		}
		return
	}
	class := classOf(err)
	if class == Throttled {
		l.limiter.throttled(now)
	}
	l.quota.stale = l.quota.stale || class == Throttled || class == Paused
	l.changed = l.circuit.failed(t, now, class, words) || l.changed
}
