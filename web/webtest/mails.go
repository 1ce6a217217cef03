package webtest

import (
	"context"
	"strings"
	"sync"
	"time"

	"idp/mailer"
	"idp/store"
)

// Mails is what was handed to the mailer.
type Mails struct {
	mu   sync.Mutex
	sent []store.Message
	full time.Duration
	why  func(to string) error
}

// Refuse has the mail server say why it does not take mails to an address; nil takes one.
func (m *Mails) Refuse(why func(to string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.why = why
}

// picky is a mail server that may refuse.
type picky struct {
	mailer.Sender
	mails *Mails
}

// Send implements [mailer.Sender].
func (p picky) Send(ctx context.Context, m mailer.Rendered) (mailer.Receipt, error) {
	p.mails.mu.Lock()
	why := p.mails.why
	p.mails.mu.Unlock()
	if why != nil {
		if err := why(m.To); err != nil {
			return mailer.Receipt{}, err
		}
	}
	return p.Sender.Send(ctx, m)
}

// Fill has no more mails taken for so long, as the ceiling of all mails does.
func (m *Mails) Fill(wait time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = wait
}

// outbox is the mailer's, and notes what it is handed.
type outbox struct {
	*mailer.Queue
	mails *Mails
}

// Sent implements otp.Outbox.
func (o outbox) Sent(mail store.NewMail, challenge store.ID, m store.Message, decoy bool) {
	if !decoy {
		o.mails.mu.Lock()
		o.mails.sent = append(o.mails.sent, m)
		o.mails.mu.Unlock()
	}
	o.Queue.Sent(mail, challenge, m, decoy)
}

// Full implements otp.Outbox.
func (o outbox) Full() time.Duration {
	o.mails.mu.Lock()
	defer o.mails.mu.Unlock()
	return o.mails.full
}

// Mail is number n (from 1) of the mails to an address that were not decoys.
func (f *Fixture) Mail(to string, n int) store.Message {
	f.Helper()
	f.Mails.mu.Lock()
	defer f.Mails.mu.Unlock()
	for _, m := range f.Mails.sent {
		if string(m.To) != to {
			continue
		}
		if n--; n == 0 {
			return m
		}
	}
	f.Fatalf("no such mail to %s", to)
	return store.Message{}
}

// NotMe is the path of a mail's link for who did not ask for it.
func (f *Fixture) NotMe(m store.Message) string {
	f.Helper()
	path, ok := strings.CutPrefix(m.NotMe, "https://id.example")
	if !ok {
		f.Fatalf("the mail %s has no link for who did not ask: %q", m.Usage, m.NotMe)
	}
	return path
}
