package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"idp/admin"
	"idp/audit"
	"idp/doctor"
	"idp/doctor/dnstest"
	"idp/keyring"
	"idp/mailer"
	"idp/mailer/ses"
	"idp/mailer/ses/sestest"
	"idp/mailer/smtp"
	"idp/store"
)

// post is a connector that keeps its mails.
type post struct {
	sent []mailer.Rendered
	err  error
	own  []store.MailTemplate
}

func (p *post) Send(_ context.Context, m mailer.Rendered) (mailer.Receipt, error) {
	p.sent = append(p.sent, m)
	return mailer.Receipt{Provider: "p1"}, p.err
}

func (p *post) Templates() []store.MailTemplate { return p.own }

// withPost is a service whose first connector is the post.
func withPost(t *testing.T) (*admin.Service, *watched, *post) {
	t.Helper()
	_, w := setup(t)
	ring, err := keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	must(t, err)
	p := &post{}
	s, err := admin.New(admin.Deps{Store: w, Book: audit.New(ring, w.Now), Ring: ring, Senders: mailer.Kinds{
		"smtp": smtp.New, ses.ID: ses.Factory(ses.Options{}),
		"inbox": func([]byte) (mailer.Sender, error) { return p, nil },
	}})
	must(t, err)
	_, err = s.SetConnector(t.Context(), audit.Command(), "inbox", map[string]any{})
	must(t, err)
	return s, w, p
}

func draft(usage store.Usage, locale, subject, content string) store.MailTemplate {
	return store.MailTemplate{Usage: usage, Locale: locale, Subject: subject, Content: content, ContentType: "text/html"}
}

// A test mail stands in the delivery log like any other, with what its provider said.
func TestTestsAreDeliveries(t *testing.T) {
	t.Parallel()
	s, _, p := withPost(t)
	sent, err := s.TestTemplate(t.Context(), audit.Command(), "ada@example.com", draft(store.UsageSignIn, "ja", "Hello", "<p>{{ code }}!</p>"))
	must(t, err)
	if len(p.sent) != 1 || p.sent[0].Subject != "Hello" || p.sent[0].HTML != "<p>000000!</p>" || p.sent[0].Usage != store.UsageSignIn {
		t.Errorf("%+v", p.sent)
	}
	kept, err := s.Delivery(t.Context(), sent.ID.String())
	must(t, err)
	if kept.To != "ada@example.com" || kept.State != "sent" || kept.Connector != "inbox" || kept.Provider != "p1" || kept.UsageType != store.UsageSignIn || kept.Locale != "ja" {
		t.Errorf("%+v", kept)
	}
	p.err = &mailer.SendError{Class: mailer.Rejected, Err: errors.New("no 000000 for ada@example.com"), Hint: "Send less."}
	sent, err = s.TestConnector(t.Context(), audit.Command(), "inbox", admin.ConnectorTest{To: "ada@example.com", Usage: store.UsageRecovered})
	var refused *admin.SendError
	if !errors.As(err, &refused) || refused.Hint != "Send less." {
		t.Fatal(err)
	}
	kept, err = s.Delivery(t.Context(), sent.ID.String())
	must(t, err)
	if kept.State != "failed" || !strings.HasPrefix(kept.Error, "rejected: no [code] for ") || strings.Contains(kept.Error, "ada@") || kept.UsageType != store.UsageRecovered {
		t.Errorf("%+v", kept)
	}
	_, err = s.TestTemplate(t.Context(), audit.Command(), "ada@example.com", draft(store.UsageSignIn, "ja", "", "no code"))
	if store.CodeOf(err) != store.Invalid || len(p.sent) != 2 {
		t.Error(err)
	}
}

// Each reason against a configuration stands with its field.
func TestConfigErrors(t *testing.T) {
	t.Parallel()
	s, _, _ := withPost(t)
	for _, c := range []struct {
		id     string
		config map[string]any
		fields string
	}{
		{ses.ID, map[string]any{"accessKeyId": "a b", "accessKeySecret": "s", "region": "us-east-1", "emailAddress": "nobody", "configurationSetName": "a b"}, "accessKeyId emailAddress configurationSetName"},
		{ses.ID, map[string]any{"accessKeyId": "a", "accessKeySecret": "s"}, "region"},
		{ses.ID, map[string]any{"templates": []any{map[string]any{"usageType": "SignIn", "subject": "", "content": "x"}}}, "templates"},
		{ses.ID, map[string]any{"regoin": "x"}, ""},
		{"smtp", map[string]any{"fromEmail": "a@example.com"}, "host"},
		{"smtp", map[string]any{"host": "smtp.example.com", "fromEmail": "a@example.com", "dkim": map[string]any{}}, "dkim"},
	} {
		_, err := s.SetConnector(t.Context(), audit.Command(), c.id, c.config)
		var all *admin.ConfigErrors
		var whole *store.FieldError
		if !errors.As(err, &all) || !errors.As(err, &whole) || whole.Field != "config" {
			t.Fatalf("%v: %v", c.config, err)
		}
		var fields []string
		for _, f := range all.Fields {
			fields = append(fields, f.Field)
		}
		if got := strings.Join(fields, " "); got != c.fields {
			t.Errorf("%v: %q, want %q: %v", c.config, got, c.fields, err)
		}
	}
}

func TestWordings(t *testing.T) {
	t.Parallel()
	s, _, p := withPost(t)
	p.own = []store.MailTemplate{draft(store.UsageGeneric, "", "Connector", "{{ code }}")}
	mine, err := s.AddMailTemplate(t.Context(), audit.Command(), draft(store.UsageSignIn, "it", "Mine", "<p>{{ code }}</p>"))
	must(t, err)
	_, err = s.AddMailTemplate(t.Context(), audit.Command(), draft(store.UsageSignIn, "IT", "Again", "<p>{{ code }}</p>"))
	if store.CodeOf(err) != store.Changed {
		t.Errorf("another's words were replaced unseen: %v", err)
	}
	all, err := s.Wordings(t.Context())
	must(t, err)
	found := map[string]admin.Wording{}
	for _, w := range all {
		found[string(w.Usage)+"/"+w.Locale] = w
	}
	if w := found["SignIn/it"]; !w.Own() || w.Template.ID != mine.ID {
		t.Errorf("%+v", w)
	}
	if w := found["SignIn/en"]; w.Own() || w.Source != mailer.SourceConnector {
		t.Errorf("%+v", w)
	}
	if w := found["Recovered/it"]; w.Source != mailer.SourceProgram {
		t.Errorf("%+v", w)
	}
	if all[0].Locale != "en" || all[0].Usage != store.UsageSignIn {
		t.Errorf("%+v", all[0])
	}
	swiss, err := s.Wording(t.Context(), store.UsageSignIn, "it-CH")
	must(t, err)
	if swiss.Template.ID != mine.ID || swiss.Own() {
		t.Errorf("%+v", swiss)
	}
	_, err = s.Wording(t.Context(), "Postcard", "en")
	if store.CodeOf(err) != store.NotFound {
		t.Error(err)
	}
}

func TestDraft(t *testing.T) {
	t.Parallel()
	s, _, _ := withPost(t)
	d, err := s.DraftMailTemplate(draft(store.UsageSignIn, "en", "{{ code }}", "<p>{{ code }} {{ cod }}<b>"))
	must(t, err)
	if len(d.Warnings) != 1 || len(d.Errors) == 0 || d.Errors[0].Field != "content" || !strings.Contains(d.HTML, "123456") {
		t.Errorf("%+v", d)
	}
	d, err = s.DraftMailTemplate(draft(store.UsageSignIn, "en", "", strings.Repeat("x", mailer.MaxContent+1)))
	must(t, err)
	if d.HTML != "" || len(d.Errors) != 1 || d.Errors[0].Field != "content" {
		t.Errorf("%+v", d.Errors)
	}
}

func TestConnectorStates(t *testing.T) {
	t.Parallel()
	s, w, _ := withPost(t)
	must(t, w.SetConnectorHealth(t.Context(), store.ConnectorHealth{Connector: "inbox", Replica: store.NewID(time.Now()), Health: []byte(`{"state":"open","lastError":"no route"}`)}))
	_, err := s.TestConnector(t.Context(), audit.Command(), "inbox", admin.ConnectorTest{To: "ada@example.com"})
	must(t, err)
	states, more, err := s.ConnectorStates(t.Context())
	must(t, err)
	if more || len(states) != 1 || states[0].Health == nil || states[0].Health.State != mailer.Open || states[0].Health.Latest.LastError != "no route" || states[0].Mails["sent"] != 1 {
		t.Errorf("%+v", states)
	}
}

// The provider is asked how it is set up, and the DNS of the sender's domain, as it is written and
// not saved.
func TestCheckConnector(t *testing.T) {
	t.Parallel()
	_, w := setup(t)
	ring, err := keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	must(t, err)
	fake := sestest.Start(sestest.Options{})
	t.Cleanup(fake.Close)
	zone, err := dnstest.Start(dnstest.Zone{"TXT example.com": {"v=spf1 include:amazonses.com -all"}, "MX example.com": {"10 mx.example.com."}, "TXT amazonses.com": {"v=spf1 ip4:192.0.2.0/24 -all"}})
	must(t, err)
	t.Cleanup(func() { _ = zone.Close() })
	s, err := admin.New(admin.Deps{Store: w, Book: audit.New(ring, w.Now), Ring: ring, DNS: doctor.NewResolver(zone.Address()),
		Senders: mailer.Kinds{ses.ID: ses.Factory(ses.Options{Endpoint: fake.URL})}})
	must(t, err)
	var config map[string]any
	must(t, json.Unmarshal(fake.Config(map[string]any{"emailAddress": "shop@example.com"}), &config))
	found, err := s.CheckConnector(t.Context(), ses.ID, config)
	must(t, err)
	levels := map[string]mailer.Level{}
	for _, f := range found {
		levels[f.Check] = f.Level
	}
	if levels["account"] != mailer.OK || levels["SPF"] != mailer.OK || levels["DMARC"] == "" || levels["MX"] != mailer.OK {
		t.Errorf("%+v", found)
	}
	if _, err := s.CheckConnector(t.Context(), ses.ID, nil); store.CodeOf(err) != store.NotFound {
		t.Error(err)
	}
	if fake.Accepted() != 0 {
		t.Error("a mail was sent")
	}
}

func TestConfigWarnings(t *testing.T) {
	t.Parallel()
	own := func(usage, content string) any {
		return map[string]any{"usageType": usage, "subject": "s", "content": content}
	}
	got := admin.ConfigWarnings(map[string]any{"templates": []any{own("SignIn", "{{code}} {{ cod }}"), own("Generic", "{{code}}")}})
	if len(got) != 1 || !strings.HasPrefix(got[0], "SignIn: ") || admin.ConfigWarnings(nil) != nil {
		t.Errorf("%q", got)
	}
}
