package mailer_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"idp/mailer"
	"idp/store"
	"idp/store/sqlstore"
)

// mortal is the store and the sender of a replica that is killed: from then on
// neither of the two hears of it.
type mortal struct {
	*sqlstore.DB
	mailer.Sender

	mu      sync.Mutex
	dead    bool
	begun   map[string]bool   // addresses that it offered a mail for
	settled map[store.ID]bool // mails that it wrote the end of down
}

var errDead = errors.New("killed")

func (m *mortal) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
}

func (m *mortal) begunAny() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.begun) > 0
}

// unknown tells that it may have sent a mail, and died before it wrote that down.
func (m *mortal) unknown(o order) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.begun[string(o.message.To)] && !m.settled[o.mail.ID]
}

func (m *mortal) Send(ctx context.Context, mail mailer.Rendered) (mailer.Receipt, error) {
	m.mu.Lock()
	dead := m.dead
	if !dead {
		m.begun[mail.To] = true
	}
	m.mu.Unlock()
	if dead {
		return mailer.Receipt{}, errDead
	}
	return m.Sender.Send(ctx, mail)
}

func (m *mortal) SettleMail(ctx context.Context, results []store.Settled) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errDead
	}
	err := m.DB.SettleMail(ctx, results)
	if err == nil {
		for _, s := range results {
			m.settled[s.ID] = s.State != store.MailQueued || m.settled[s.ID]
		}
	}
	return err
}

func (m *mortal) ClaimMail(ctx context.Context, worker store.ID, lease time.Duration, limit int) ([]store.QueuedMail, error) {
	m.mu.Lock()
	dead := m.dead
	m.mu.Unlock()
	if dead {
		return nil, errDead
	}
	return m.DB.ClaimMail(ctx, worker, lease, limit)
}
