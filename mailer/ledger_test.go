package mailer_test

import (
	"context"
	"sync"

	"idp/mailer"
	"idp/mailer/ses"
)

// ledger is what replicas heard of SES: by address, how often it took a mail, and how
// often there was no answer in time.
type ledger struct {
	mu             sync.Mutex
	taken, unheard map[string]int
}

// kept makes senders whose answers are written down.
func (l *ledger) kept(make mailer.Factory) mailer.Factory {
	return func(config []byte) (mailer.Sender, error) {
		s, err := make(config)
		if err != nil {
			return nil, err
		}
		return &bookkeeper{s.(*ses.Sender), l}, nil
	}
}

func (l *ledger) of(address string) (taken, unheard int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken[address], l.unheard[address]
}

type bookkeeper struct {
	*ses.Sender
	ledger *ledger
}

func (b *bookkeeper) Send(ctx context.Context, m mailer.Rendered) (mailer.Receipt, error) {
	receipt, err := b.Sender.Send(ctx, m)
	b.ledger.mu.Lock()
	defer b.ledger.mu.Unlock()
	switch {
	case err == nil:
		b.ledger.taken[m.To]++
	case ctx.Err() != nil:
		b.ledger.unheard[m.To]++
	}
	return receipt, err
}
