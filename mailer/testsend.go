package mailer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"idp/mailer/mailbox"
	"idp/store"
)

// testCode is what a test mail shows in the place of a code, as Logto's do.
const testCode = "000000"

// testTTL is how long that code says it lives, in minutes.
const testTTL = 10

// testTimeout bounds a test: whoever started it waits.
const testTimeout = 20 * time.Second

// Test is a mail to send through a configuration that need not be saved.
type Test struct {
	Connector string
	Config    []byte // JSON
	To        store.Email
	Usage     store.Usage          // which mail; "": Generic
	Locale    string               // BCP 47; "": English
	App       string               // that it speaks for; "": none
	Templates []store.MailTemplate // the operator's own
}

// Tested is what went out.
type Tested struct {
	ID       store.ID      `json:"-"`    // of the mail; zero if nothing was tried
	From     string        `json:"from"` // the address, the template's if it asks for one; "" if the sender does not tell it
	Subject  string        `json:"subject"`
	Locale   string        `json:"locale"`
	Provider string        `json:"providerId,omitempty"` // the provider's id of the mail
	Took     time.Duration `json:"-"`
}

// TestSend sends a mail, with a code that opens nothing, at
// once and past the queue, the suppression list and all limits. The error is a
// [*SendError], Misconfigured if the configuration is refused, with the provider's own
// words and, where it is known, what to do.
func TestSend(ctx context.Context, kinds Kinds, t Test) (Tested, error) {
	sender, err := kinds.make(t.Connector, t.Config)
	if err != nil {
		return Tested{}, &SendError{Class: Misconfigured, Err: err}
	}
	if c, ok := sender.(Closer); ok {
		defer func() { _ = c.Close() }() // it was ours alone, and its mail is settled
	}
	m, err := testMail(t, sender)
	if err != nil {
		return Tested{}, &SendError{Class: Misconfigured, Err: fmt.Errorf("word the mail: %w", err)}
	}
	out := Tested{Subject: m.Subject, Locale: m.Locale}
	if out.ID, err = store.ParseID(m.ID); err != nil {
		return Tested{}, fmt.Errorf("test send: %w", err)
	}
	if a, ok := sender.(Addressed); ok {
		out.From = a.Address()
	}
	if box, err := mailbox.Parse(m.Sender); err == nil {
		out.From = box.Address
	}
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	start := time.Now()
	receipt, err := sender.Send(ctx, m)
	out.Took, out.Provider = time.Since(start), receipt.Provider
	var known *SendError
	if err != nil && !errors.As(err, &known) {
		known = &SendError{Class: Temporary, Err: err}
	}
	if known != nil {
		return out, known
	}
	return out, nil
}

// testMail words the mail as the queue would for this sender.
func testMail(t Test, sender Sender) (Rendered, error) {
	now := time.Now()
	var own []store.MailTemplate
	if s, ok := sender.(Templated); ok {
		own = s.Templates()
	}
	message := store.Message{To: t.To, Usage: cmp.Or(t.Usage, store.UsageGeneric), Locale: t.Locale, CodeTTL: testTTL, App: t.App, Asked: now}
	if coded(message.Usage) {
		message.Code = testCode
	}
	m, err := new(renderer).compose(message, t.Templates, own)
	m.ID = store.NewID(now).String()
	return m, err
}
