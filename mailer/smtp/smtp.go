// Package smtp is the sender that gives mails to a mail server (RFC 5321). Its
// configuration is that of Logto's SMTP connector and more; see [Config].
//
// A mail is given to one connection of a bounded pool. A connection that turns out to be
// dead is replaced, and the mail tried once more on a new one, as long as the server had
// not said "go ahead" to the mail's content (354): until then it cannot have taken it.
// After that a lost connection leaves open whether the mail was taken. It counts as
// temporary, so that mail may arrive twice, with one Message-ID; the other way, it might
// never arrive.
package smtp

import (
	"context"
	"time"

	"idp/mailer"
	"idp/store"
)

// ID is the connector's id.
const ID = "smtp"

// Sender gives mails to a mail server. It is safe for concurrent use.
type Sender struct {
	settings *settings
	pool     *pool
	now      func() time.Time
}

var (
	_ mailer.Templated = (*Sender)(nil)
	_ mailer.Rated     = (*Sender)(nil)
	_ mailer.Examined  = (*Sender)(nil)
	_ mailer.Addressed = (*Sender)(nil)
	_ mailer.Closer    = (*Sender)(nil)
)

// New is the connector's [mailer.Factory].
func New(config []byte) (mailer.Sender, error) {
	s, err := parse(config)
	if err != nil {
		return nil, err
	}
	return &Sender{settings: s, pool: newPool(s), now: time.Now}, nil
}

// Send gives one mail to the server. The receipt has the server's name for it.
func (s *Sender) Send(ctx context.Context, m mailer.Rendered) (mailer.Receipt, error) {
	mail, err := s.seal(m, s.now())
	if err != nil {
		return mailer.Receipt{}, &mailer.SendError{Class: mailer.Rejected, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, s.settings.attempt)
	defer cancel()
	answer, err := s.pool.send(ctx, mail)
	if err != nil {
		return mailer.Receipt{}, classify(err, m.To)
	}
	return mailer.Receipt{Provider: queueID(answer)}, nil
}

// Templates are the connector's own wordings, or none.
func (s *Sender) Templates() []store.MailTemplate { return s.settings.templates }

// Address is where mails come from.
func (s *Sender) Address() string { return s.settings.from.Address }

// Quota is the rate that the operator set: SMTP has no way to ask for one.
func (s *Sender) Quota(context.Context) (mailer.Quota, error) {
	return mailer.Quota{PerSecond: s.settings.perSecond}, nil
}

// Close ends the connections that are not in use; those that are end with their mail. A
// mail that is sent later has a connection of its own.
func (s *Sender) Close() error {
	s.pool.close()
	return nil
}
