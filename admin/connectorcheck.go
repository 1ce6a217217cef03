package admin

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"idp/doctor"
	"idp/mailer"
	"idp/store"
)

// checkTimeout bounds what a provider and the DNS are asked: somebody waits.
const checkTimeout = 20 * time.Second

// Finding is one thing that was looked at.
type Finding = mailer.Finding

// CheckConnector looks at how a connector is set up at its provider, and at the DNS records of
// the domain that it sends from, as idp doctor does. No mail is sent. config need not be saved; nil:
// the one that is.
func (s *Service) CheckConnector(ctx context.Context, id string, config map[string]any) ([]Finding, error) {
	text, err := s.testedConfig(ctx, "check connector", id, config)
	if err != nil {
		return nil, err
	}
	sender, err := s.senders[id](text)
	if err != nil {
		return nil, &store.Error{Code: store.Invalid, Op: "check connector", Err: configErrors(id, err)}
	}
	if c, ok := sender.(mailer.Closer); ok {
		defer func() { _ = c.Close() }() // it was ours alone
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	var found []Finding
	tell := doctor.Tell(func(f mailer.Finding) { found = append(found, f) })
	if e, ok := sender.(mailer.Examined); ok {
		found = e.Examine(ctx)
	}
	s.checkDomain(ctx, tell, id, text, sender)
	return found, nil
}

// checkDomain looks at the DNS records of the domain that a sender's mails come from.
func (s *Service) checkDomain(ctx context.Context, tell doctor.Tell, id string, config []byte, sender mailer.Sender) {
	a, ok := sender.(mailer.Addressed)
	if !ok {
		return
	}
	_, name, ok := strings.Cut(a.Address(), "@")
	if !ok {
		return
	}
	d := doctor.Domain{Name: name, DNS: s.dns, Host: textField(config, "host")}
	if id == connectorSES {
		d.Include = "amazonses.com"
	}
	if p, ok := sender.(mailer.Published); ok {
		var err error
		if d.Records, err = p.Records(ctx); err != nil {
			d.Unasked = true
			tell.Warn(mailer.PurposeDKIM, "", "the records that the provider wants could not be asked for: %v", err)
		}
	}
	d.Check(ctx, tell)
}

// textField is a text in a configuration, "" if it is none.
func textField(config []byte, name string) string {
	var fields map[string]any
	_ = json.Unmarshal(config, &fields) // it was read before
	text, _ := fields[name].(string)
	return text
}
