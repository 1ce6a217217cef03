package mailer_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"idp/mailer"
	"idp/mailer/ses"
	"idp/mailer/ses/sestest"
	"idp/store"
)

// tester is a sender that keeps what it is given.
type tester struct {
	err    error
	got    []mailer.Rendered
	closed int
}

func (s *tester) Send(_ context.Context, m mailer.Rendered) (mailer.Receipt, error) {
	s.got = append(s.got, m)
	return mailer.Receipt{Provider: "p1"}, s.err
}

func (s *tester) Address() string { return "shop@example.com" }

func (s *tester) Close() error {
	s.closed++
	return nil
}

func (s *tester) kinds() mailer.Kinds {
	return mailer.Kinds{"one": func(config []byte) (mailer.Sender, error) {
		if string(config) != "{}" {
			return nil, errors.New("pass is missing")
		}
		return s, nil
	}}
}

func TestTestSend(t *testing.T) {
	t.Parallel()
	s := &tester{}
	sent, err := mailer.TestSend(t.Context(), s.kinds(), mailer.Test{Connector: "one", Config: []byte("{}"), To: "ada@example.com", Locale: "ja-JP"})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.got) != 1 || s.closed != 1 {
		t.Fatalf("%d mails, closed %d times", len(s.got), s.closed)
	}
	m := s.got[0]
	if m.To != "ada@example.com" || m.Usage != store.UsageGeneric || m.Code != "000000" || m.Locale != "ja" || m.ID == "" || !strings.Contains(m.Text, "000000") {
		t.Errorf("%+v", m)
	}
	if sent.From != "shop@example.com" || sent.Provider != "p1" || sent.Subject != m.Subject || sent.Locale != "ja" {
		t.Errorf("%+v", sent)
	}
}

func TestTestSendRefused(t *testing.T) {
	t.Parallel()
	own := &mailer.SendError{Class: mailer.Rejected, Err: errors.New("554 no"), Hint: "ask"}
	for _, c := range []struct {
		id, config string
		err        error
		class      mailer.Class
		words      string
		hint       string
	}{
		{"none", "{}", nil, mailer.Misconfigured, `unknown connector "none"`, ""},
		{"one", "{", nil, mailer.Misconfigured, "pass is missing", ""},
		{"one", "{}", errors.New("connection reset"), mailer.Temporary, "connection reset", ""},
		{"one", "{}", own, mailer.Rejected, "554 no", "ask"},
	} {
		s := &tester{err: c.err}
		_, err := mailer.TestSend(t.Context(), s.kinds(), mailer.Test{Connector: c.id, Config: []byte(c.config), To: "ada@example.com"})
		var e *mailer.SendError
		if !errors.As(err, &e) || e.Class != c.class || !strings.Contains(e.Err.Error(), c.words) || e.Hint != c.hint {
			t.Errorf("%s %s: %v", c.id, c.config, err)
		}
	}
}

// The provider's words reach who asks, with what to do about each.
func TestTestSendThroughSES(t *testing.T) {
	t.Parallel()
	fake := sestest.Start(sestest.Options{})
	defer fake.Close()
	kinds := mailer.Kinds{ses.ID: ses.Factory(ses.Options{Endpoint: fake.URL})}
	send := func(config []byte) (mailer.Tested, error) {
		return mailer.TestSend(t.Context(), kinds, mailer.Test{Connector: ses.ID, Config: config, To: "ada@example.com"})
	}
	sent, err := send(fake.Config(nil))
	if err != nil || sent.Provider == "" || len(fake.Mails()) != 1 {
		t.Fatal(sent, err)
	}
	refused := func(err error, class mailer.Class, words, hint string) {
		t.Helper()
		var e *mailer.SendError
		if !errors.As(err, &e) || e.Class != class || !strings.Contains(e.Err.Error(), words) || !strings.Contains(e.Hint, hint) {
			t.Errorf("%v: %+v", err, e)
		}
	}
	_, err = send(fake.Config(map[string]any{"accessKeySecret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYNOTTHISONE"}))
	refused(err, mailer.Misconfigured, "signature", "accessKeySecret")
	fake.SetIdentity("other.example.com", sestest.Identity{Verified: true})
	_, err = send(fake.Config(nil))
	refused(err, mailer.Misconfigured, "not verified", "region")
	if n := len(fake.Mails()); n != 1 {
		t.Errorf("%d mails went out", n)
	}
}

// The answer names the address that the mail really came from.
func TestTestSendTellsATemplatesSender(t *testing.T) {
	t.Parallel()
	s := &tester{}
	template := htmlTemplate(store.UsageGeneric, "en", "{{ code }}")
	template.SendFrom = "Billing <billing@example.com>"
	sent, err := mailer.TestSend(t.Context(), s.kinds(), mailer.Test{Connector: "one", Config: []byte("{}"), To: "ada@example.com",
		Templates: []store.MailTemplate{template}})
	if err != nil || sent.From != "billing@example.com" || len(s.got) != 1 || s.got[0].Sender != template.SendFrom {
		t.Errorf("%+v, %v, %+v", sent, err, s.got)
	}
}
