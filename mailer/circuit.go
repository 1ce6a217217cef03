package mailer

import (
	"math/rand/v2"
	"time"
)

// State tells whether a connector is used.
type State string

// The states of a circuit breaker.
const (
	Closed   State = "closed"    // mails go through it
	Open     State = "open"      // it failed: it is left alone for a while
	HalfOpen State = "half-open" // one mail tries whether it is well again
)

// circuit keeps mails away from a connector that fails. It is not safe for
// concurrent use: its line locks it.
//
//	closed ── Trip failures in a row, or one that lasts ──> open
//	open ── its wait is over ──> half-open: one mail goes
//	half-open ── taken ──> closed        half-open ── not taken ──> open, twice as long
type circuit struct {
	config    Config
	state     State
	since     time.Time     // of the state
	failures  int           // in a row
	until     time.Time     // when it is tried again
	cool      time.Duration // that it was opened for last
	probing   bool          // a mail tries it
	lastError string
	lastGood  time.Time
}

// ticket is the leave to try a connector once; it has to be given back.
type ticket struct{ probe bool }

// enter asks for leave to try the connector.
func (c *circuit) enter(now time.Time) (ticket, bool) {
	switch {
	case c.state == Closed:
		return ticket{}, true
	case c.probing || now.Before(c.until):
		return ticket{}, false
	}
	c.become(HalfOpen, now)
	c.probing = true
	return ticket{probe: true}, true
}

// ripe tells whether enter would give leave.
func (c *circuit) ripe(now time.Time) bool {
	return c.state == Closed || !c.probing && !now.Before(c.until)
}

func (c *circuit) become(s State, now time.Time) (changed bool) {
	if c.state == s {
		return false
	}
	c.state, c.since = s, now
	return true
}

// release gives a ticket back that led to no answer.
func (c *circuit) release(t ticket) {
	if t.probe {
		c.probing = false
	}
}

// answered notes that the provider did its work: it took the mail, or had a reason
// against that one mail.
func (c *circuit) answered(t ticket, now time.Time, taken bool) (changed bool) {
	c.release(t)
	if taken {
		c.lastGood = now
	}
	if c.state != Closed && !t.probe {
		return false // sent before it opened
	}
	c.failures, c.cool = 0, 0
	return c.become(Closed, now)
}

// failed notes that the connector did not do its work.
func (c *circuit) failed(t ticket, now time.Time, class Class, words string) (changed bool) {
	c.release(t)
	c.lastError = words
	if c.state != Closed && !t.probe {
		return false // sent before it opened: says nothing new
	}
	c.failures++
	lasting := class == Paused || class == Misconfigured
	if !lasting && !t.probe && c.failures < c.config.Trip {
		return false
	}
	first, most := c.config.Cool, c.config.MaxCool
	if lasting { // a person has to act, which takes minutes
		first, most = c.config.Halt, c.config.MaxHalt
	}
	c.open(now, min(max(2*c.cool, first), most))
	return true
}

// open leaves the connector alone for about d. The jitter keeps replicas from trying
// it together.
func (c *circuit) open(now time.Time, d time.Duration) {
	c.cool = d
	c.until = now.Add(d - d/8 + rand.N(d/4+1))
	c.become(Open, now)
}

// retry lets the next mail try at once, because something was mended.
func (c *circuit) retry(now time.Time) {
	if c.state != Closed {
		c.until, c.cool = now, 0
	}
}
