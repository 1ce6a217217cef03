package admin

import (
	"context"
	"errors"

	"idp/audit"
	"idp/mailer"
	"idp/store"
)

// ConnectorTest is a mail to send through a connector, past the queue and all limits.
type ConnectorTest struct {
	To     store.Email
	Config map[string]any // that need not be saved; nil: the one that is
	Usage  store.Usage    // which mail; "": Generic
	Locale string         // BCP 47; "": English

	// Draft words the mail, and tells which and in which language; it need not be saved. Nil: what is in use.
	Draft *store.MailTemplate
}

// SendError is what a provider, or a connector's configuration, has against a mail.
type SendError = mailer.SendError

// TestConnector sends the mail; the audit log tells of it before, and the delivery log has it
// then under the ID of what it answers, unless it was not even tried. The error is a [*SendError] if
// the mail was not taken.
func (s *Service) TestConnector(ctx context.Context, by audit.Actor, id string, t ConnectorTest) (mailer.Tested, error) {
	const op = "test connector"
	text, err := s.testedConfig(ctx, op, id, t.Config)
	if err != nil {
		return mailer.Tested{}, err
	}
	test := mailer.Test{Connector: id, Config: text, To: t.To, Usage: t.Usage, Locale: t.Locale}
	if d := t.Draft; d != nil {
		if err := checkTemplate(op, "", d); err != nil {
			return mailer.Tested{}, err
		}
		test.Usage, test.Locale, test.Templates = d.Usage, d.Locale, []store.MailTemplate{*d}
	} else if test.Templates, err = s.store.MailTemplates(ctx); err != nil {
		return mailer.Tested{}, err
	}
	user, err := s.accountOf(ctx, t.To)
	if err != nil {
		return mailer.Tested{}, err
	}
	entry := s.book.Entry(by, audit.Record{Kind: "connector.tested", User: user, Target: id, Personal: map[string]any{"to": t.To}})
	if err := s.store.Tell(ctx, entry); err != nil { // before: what was sent cannot be taken back
		return mailer.Tested{}, err
	}
	return s.testSend(ctx, test)
}

// testSend sends, and keeps what became of it. A mail that went and could not be written down went.
func (s *Service) testSend(ctx context.Context, test mailer.Test) (mailer.Tested, error) {
	sent, err := mailer.TestSend(ctx, s.senders, test)
	var refused *SendError
	if sent.ID.IsZero() || err != nil && !errors.As(err, &refused) {
		return sent, err
	}
	if s.deliveries.KeepTest(ctx, test, sent, refused) != nil {
		sent.ID = store.ID{}
	}
	return sent, err
}

// testedConfig is the configuration to test, with its secrets.
func (s *Service) testedConfig(ctx context.Context, op, id string, config map[string]any) ([]byte, error) {
	before, err := s.rawConnector(ctx, id)
	switch {
	case store.CodeOf(err) == store.NotFound && config == nil && id == connectorInbox: // needs no configuration
		config = map[string]any{}
	case store.CodeOf(err) == store.NotFound && config == nil || err != nil && store.CodeOf(err) != store.NotFound:
		return nil, err
	case config == nil:
		if config, err = s.openConnector(before); err != nil {
			return nil, err
		}
	}
	text, _, err := s.checkConnector(op, id, before, config)
	return text, err
}

// TestTemplate sends a mail as a draft words it, through the connector that is tried first. The
// error is [store.NotFound] if there is none, else as that of [Service.TestConnector].
func (s *Service) TestTemplate(ctx context.Context, by audit.Actor, to store.Email, draft store.MailTemplate) (mailer.Tested, error) {
	all, err := s.store.FreshConnectors(ctx)
	if err != nil {
		return mailer.Tested{}, err
	}
	if len(all) == 0 {
		return mailer.Tested{}, &store.Error{Code: store.NotFound, Op: "test mail template", Err: errors.New("no connector is set up")}
	}
	return s.TestConnector(ctx, by, all[0].ID, ConnectorTest{To: to, Draft: &draft})
}
