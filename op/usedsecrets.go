package op

import (
	"context"
	"sync"
	"time"

	"idp/store"
)

// usedSecrets collects when secrets were used, to be written down now and then: a
// write for each call would be one hot row a client, and all its tokens would wait
// for it.
type usedSecrets struct {
	mu sync.Mutex
	at map[store.ID]time.Time
}

func (u *usedSecrets) note(secret store.ID, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.at == nil {
		u.at = map[store.ID]time.Time{}
	}
	u.at[secret] = now
}

func (u *usedSecrets) take() map[store.ID]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	at := u.at
	u.at = nil
	return at
}

const (
	noteEvery   = time.Minute
	noteTimeout = 3 * time.Second
)

// Run writes down when secrets were used, until ctx ends, and what is left then.
func (p *Provider) Run(ctx context.Context) {
	t := time.NewTicker(noteEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			p.noteUsed(context.WithoutCancel(ctx))
			return
		case <-t.C:
			p.noteUsed(ctx)
		}
	}
}

func (p *Provider) noteUsed(ctx context.Context) {
	at := p.used.take()
	if len(at) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	if err := p.store.NoteSecretUse(ctx, at); err != nil { // the next use is noted as well
		p.log.WarnContext(ctx, "could not note when client secrets were used", "error", err)
	}
}
