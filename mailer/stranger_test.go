package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"testing"

	smtpd "github.com/emersion/go-smtp"

	"idp/mailer"
	"idp/mailer/smtp"
	"idp/store"
)

// relay is a mail server that has something against each recipient at "strange.example".
type relay struct {
	against *smtpd.SMTPError

	mu  sync.Mutex
	got []string
}

// visit is one connection to a relay.
type visit struct {
	*relay
	to string
}

// Reset, Logout, Mail, Rcpt and Data implement [smtpd.Session].
func (v *visit) Reset()                                {}
func (v *visit) Logout() error                         { return nil }
func (v *visit) Mail(string, *smtpd.MailOptions) error { return nil }
func (v *visit) Rcpt(to string, _ *smtpd.RcptOptions) error {
	if v.to = to; strings.HasSuffix(to, "@strange.example") {
		return v.against
	}
	return nil
}
func (v *visit) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.got = append(v.got, v.to)
	return err
}

// serve runs the relay and connects w to it.
func (r *relay) serve(w *world) {
	w.t.Helper()
	server := smtpd.NewServer(smtpd.BackendFunc(func(*smtpd.Conn) (smtpd.Session, error) { return &visit{relay: r}, nil }))
	server.Domain, server.ErrorLog = "relay.test", log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	w.t.Cleanup(func() { server.Close(); l.Close(); <-done })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	w.more = mailer.Kinds{"post": smtp.New}
	w.connect("post", `{"host": "127.0.0.1", "port": `+port+`, "tls": "none", "fromEmail": "no-reply@shop.example"}`)
}

// Whoever types strange addresses delays nobody else's mail: not by what the server says of
// them, and not by how often it is asked.
func TestStrangeRecipientsDelayNobody(t *testing.T) {
	t.Parallel()
	for line, final := range map[string]store.MailState{
		"552 5.2.2 <%s>: Recipient address rejected: Quota exceeded (mailbox for user is full)": store.MailFailed,
		"501 5.1.3 Bad recipient address syntax":                                                store.MailFailed,
		"450 4.1.2 <%s>: Recipient address rejected: Domain not found":                          store.MailQueued,
		"450 4.7.1 <%s>: Recipient address rejected: rate limit":                                store.MailQueued,
		"451 4.7.1 Greylisted":                                     store.MailQueued,
		"554 5.7.1 <%s>: Relay access denied":                      store.MailQueued,
		"530 SMTP authentication is required for other domains":    store.MailQueued,
		"452 4.2.2 <%s> Quota exceeded (mailbox for user is full)": store.MailQueued,
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			r := &relay{against: &smtpd.SMTPError{EnhancedCode: smtpd.NoEnhancedCode}}
			code, words, _ := strings.Cut(line, " ")
			fmt.Sscan(code, &r.against.Code)
			r.against.Message = strings.ReplaceAll(words, "%s", "eve@strange.example")
			r.serve(w)
			c := patient() // a circuit that opens stays open
			q := w.queue(nil, c)
			w.run(q)
			var strange []order
			for i := range 2 * c.Trip {
				o := w.order(q, fmt.Sprintf("eve%d@strange.example", i), nil)
				o.handTo(q)
				strange = append(strange, o)
			}
			tries := 2 * c.Trip
			if final == store.MailQueued {
				tries *= 2 // each again
			}
			w.until("the server's answers", func() bool { return strings.Count(w.log.String(), "mail not sent") >= tries })
			honest := w.order(q, "ada@example.com", nil)
			honest.handTo(q)
			w.becomes(store.MailSent, honest)
			for _, o := range strange {
				w.becomes(final, o)
			}
			h := w.health("post")
			if h.State != mailer.Closed || h.Throttled {
				t.Errorf("%+v", h)
			}
		})
	}
}

// A mail that waits for its recipient's server goes when that takes it.
func TestMailOfAStrangeRecipientIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.post.fail = func(try int) error {
		if try <= 12 { // more than open a circuit
			return &mailer.SendError{Class: mailer.Temporary, Err: errors.New("greylisted"), Recipient: true}
		}
		return nil
	}
	q := w.queue(nil, patient())
	w.run(q)
	o := w.order(q, "ada@example.com", nil)
	o.handTo(q)
	w.becomes(store.MailSent, o)
	if _, tries := w.post.count(""); tries != 13 {
		t.Errorf("%d tries", tries)
	}
}

// What the page is told of a mail that its recipient's server does not take is what it is told
// of a decoy: a decoy cannot follow it. A fault of the connector holds up both.
func TestPageIsNotToldOfOneRecipient(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err         mailer.SendError
		row         store.MailState // of the real mail
		real, decoy store.MailState // that the pages are told
	}{
		"mailbox full":         {mailer.SendError{Class: mailer.Rejected}, store.MailFailed, store.MailDelayed, store.MailSent},
		"mailbox full for now": {mailer.SendError{Class: mailer.Temporary, Recipient: true}, store.MailQueued, store.MailDelayed, store.MailSent},
		"relaying denied":      {mailer.SendError{Class: mailer.Misconfigured, Recipient: true}, store.MailQueued, store.MailDelayed, store.MailSent},
		"server away":          {mailer.SendError{Class: mailer.Temporary}, store.MailQueued, store.MailQueued, store.MailQueued},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			c.err.Err = errors.New("no")
			w.post.fail = func(int) error { return &c.err }
			q := w.queue(nil, quick())
			w.run(q)
			real := w.order(q, "ada@example.com", nil)
			real.handTo(q)
			w.until("an attempt", func() bool { return strings.Contains(w.log.String(), "mail not sent") })
			decoy := w.order(q, "eve@example.com", nil)
			decoy.begun.Decoy = true
			decoy.handTo(q)
			w.until("an attempt of the decoy", func() bool { return strings.Contains(w.log.String(), decoy.mail.ID.String()) })
			w.until("what is expected", func() bool {
				return w.state(real) == c.row && w.told(real) == c.real && w.told(decoy) == c.decoy
			})
		})
	}
}

// told is the state of a mail that its page is told.
func (w *world) told(o order) store.MailState {
	w.t.Helper()
	st, err := w.db.ChallengeState(context.Background(), o.challenge, browser)
	if err != nil {
		w.t.Fatal(err)
	}
	return st.Mail
}

// Others' mails go through the connector that has something against this recipient only: so the
// page is not told of the one that is away.
func TestPageIsNotToldWhereTheNextConnectorHasNothingAgainstOthers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	second := w.second()
	w.post.fail = failing(mailer.Temporary)
	second.fail = func(int) error {
		return &mailer.SendError{Class: mailer.Temporary, Err: errors.New("greylisted"), Recipient: true}
	}
	q := w.queue(nil, quick())
	w.run(q)
	o := w.order(q, "ada@example.com", nil)
	o.handTo(q)
	w.until("what a decoy's page is told", func() bool { return w.told(o) == store.MailDelayed })
	if s := w.state(o); s != store.MailQueued {
		t.Errorf("the mail is in state %d", s)
	}
}
