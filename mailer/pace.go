package mailer

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// samples is how many recent attempts a decoy may take after: few, so that
// decoys follow within moments when a sender slows down or fails.
const samples = 16

// firstPace is the pace before any real attempt: about that of a mail API.
const firstPace = 80 * time.Millisecond

var errSameAsOthers = errors.New("as other mails at that time")

// pace remembers how recent real attempts went, for decoys to take after.
type pace struct {
	mu     sync.Mutex
	recent [samples]result
	count  int
}

// record notes a real attempt. Why a mail or its recipient was not taken is its own affair:
// a decoy only takes the time of it.
func (p *pace) record(r result) {
	if r.own {
		r.err = nil
	}
	r.provider, r.own = "", false
	if r.err != nil {
		// Not the provider's words: they are about another person's mail.
		r.err = &SendError{Class: classOf(r.err), Err: errSameAsOthers}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recent[p.count%samples] = r
	p.count++
}

// replay takes as long as a recent attempt did and ends like it.
func (p *pace) replay(ctx context.Context) result {
	p.mu.Lock()
	r := result{took: firstPace}
	if p.count > 0 {
		r = p.recent[rand.N(min(p.count, samples))]
	}
	p.mu.Unlock()
	if !sleep(ctx, r.took) {
		r.err = &SendError{Class: Temporary, Err: ctx.Err()}
	}
	return r
}
