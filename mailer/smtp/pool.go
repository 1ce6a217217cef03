package smtp

import (
	"context"
	"errors"
	"sync"
	"time"
)

// pool is the connections to one server: at most so many at the same time, the last used
// first used again, so that those too many become idle and end.
type pool struct {
	settings *settings
	slots    chan struct{} // one for each connection in use

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

const (
	// A connection unused for longer is asked whether it lives before a mail is put on
	// it. Right after a mail it is not worth a round trip.
	askAfter = 2 * time.Second
	// The answer has to come this soon, or a firewall has forgotten the connection.
	askFor = time.Second
)

func newPool(s *settings) *pool { return &pool{settings: s, slots: make(chan struct{}, s.conns)} }

// send gives a mail to a connection: to a new one if an old one was dead before the server
// could have taken the mail.
func (p *pool) send(ctx context.Context, mail envelope) (string, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return "", &fault{stageConnect, errBusy}
	}
	defer func() { <-p.slots }()

	c := p.take(ctx)
	if c != nil {
		answer, err := p.sendOn(ctx, c, mail)
		var f *fault
		if !errors.As(err, &f) || !f.lost() || f.stage == stageBody || ctx.Err() != nil {
			return answer, err
		}
	}
	c, err := p.settings.dial(ctx, nil)
	if err != nil {
		return "", err
	}
	return p.sendOn(ctx, c, mail)
}

// sendOn sends on c and keeps it for the next mail, if it is good for one.
func (p *pool) sendOn(ctx context.Context, c *conn, mail envelope) (string, error) {
	release := bound(ctx, c.raw)
	answer, err := c.transact(mail)
	usable := release()
	var f *fault
	switch {
	case !usable, errors.As(err, &f) && f.lost():
		c.raw.Close()
	default:
		p.keep(c)
	}
	return answer, err
}

// take gives a connection that seems to live, or nil.
func (p *pool) take(ctx context.Context) *conn {
	for {
		p.mu.Lock()
		last := len(p.idle) - 1
		if last < 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[last]
		p.idle = p.idle[:last]
		c.timer.Stop()
		p.mu.Unlock()
		if p.lives(ctx, c) {
			return c
		}
		c.raw.Close()
	}
}

func (p *pool) lives(ctx context.Context, c *conn) bool {
	if !c.dirty && time.Since(c.since) < askAfter {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	release := bound(ctx, c.raw)
	err := c.client.Reset()
	return release() && err == nil
}

// keep puts a connection by, unless it has carried enough. Then the slot is held until
// the goodbye, because it counts for the server's limit, too.
func (p *pool) keep(c *conn) {
	c.since = time.Now()
	p.mu.Lock()
	if p.closed || c.sent >= p.settings.mails {
		p.mu.Unlock()
		c.quit()
		return
	}
	c.timer = time.AfterFunc(p.settings.idle, func() { p.expire(c) })
	p.idle = append(p.idle, c)
	p.mu.Unlock()
}

// expire ends a connection that nobody took in time.
func (p *pool) expire(c *conn) {
	p.mu.Lock()
	found := false
	for i, other := range p.idle {
		if other == c {
			p.idle, found = append(p.idle[:i], p.idle[i+1:]...), true
			break
		}
	}
	p.mu.Unlock()
	if found { // else it is in use again
		c.quit()
	}
}

func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	var goodbyes sync.WaitGroup
	for _, c := range idle {
		c.timer.Stop()
		goodbyes.Go(c.quit)
	}
	goodbyes.Wait()
}
