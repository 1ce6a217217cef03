package mailer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"

	"idp/store"
)

// Sender hands one mail to the world. It must give up soon after ctx ends: the
// lease on the mail rests on it. An error that is not a [*SendError] counts as
// [Temporary] and [SendError.Unsure].
type Sender interface {
	Send(ctx context.Context, m Rendered) (Receipt, error)
}

// Rendered is a mail as a sender gets it.
type Rendered struct {
	ID      string // of the mail in the queue; the same on every attempt
	From    string // display name, on one line; the address is the sender's own
	To      string
	Subject string
	Text    string
	HTML    string
	Usage   store.Usage
	Code    string // "" in a mail without one
	Locale  string // that it is written in
	ReplyTo string // an address, or ""
	Sender  string // "Name <a@b>" or "a@b" that a template asks for; "" is the sender's own
}

// Receipt is the provider's answer to an accepted mail.
type Receipt struct {
	Provider string // the provider's id of the mail, may be ""
}

// Class tells what to do about a mail that was not taken.
type Class string

// The classes. All but Refused and Rejected are tried again while the mail is worth
// sending.
const (
	Temporary     Class = "temporary"     // network, timeout, the provider's own fault
	Throttled     Class = "throttled"     // too fast
	Refused       Class = "refused"       // this address will never take it; it goes on the suppression list
	Rejected      Class = "rejected"      // this sender will never take this mail, whatever its address
	Paused        Class = "paused"        // the account may not send now
	Misconfigured Class = "misconfigured" // an operator has to mend the connector
)

// SendError is why a sender did not take a mail.
type SendError struct {
	Class Class
	Err   error  // the provider's words
	Hint  string // what an operator can do about it, or ""
	// Recipient tells that it is about this mail's recipient and says nothing of the
	// connector, which did its work. Refused and Rejected always are.
	Recipient bool
	Unsure    bool // the mail may have left all the same: it was on its way, and no answer told what became of it
}

func (e *SendError) Error() string { return fmt.Sprintf("%s: %v", e.Class, e.Err) }

func (e *SendError) Unwrap() error { return e.Err }

// classOf gives the class of a sender's error.
func classOf(err error) Class {
	var e *SendError
	if errors.As(err, &e) {
		return e.Class
	}
	return Temporary
}

// ofOneMail tells whether a sender's error is about one mail or its recipient, and says
// nothing of the connector. What a stranger can bring about by typing an address must be.
func ofOneMail(err error) bool {
	var e *SendError
	return errors.As(err, &e) && (e.Recipient || e.Class == Refused || e.Class == Rejected)
}

// mayHaveLeft tells whether a mail may have left although its sender failed.
func mayHaveLeft(err error) bool {
	var e *SendError
	if errors.As(err, &e) {
		return e.Unsure
	}
	return err != nil
}

// Connected gives a context for an HTTP request, and what tells whether the request got a
// connection: from then on it may have arrived, however it failed.
func Connected(ctx context.Context) (context.Context, func() bool) {
	var got atomic.Bool
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got.Store(true) }}), got.Load
}

// The rest of what a sender can be. All are optional.
type (
	// Templated brings mails of its own wording, by usage: they take the place of ours.
	Templated interface{ Templates() []store.MailTemplate }

	// Rated knows how fast it may send.
	Rated interface {
		Quota(ctx context.Context) (Quota, error)
	}

	// Examined looks at how it is set up at the provider: is the sender's address
	// verified, may it send to everybody.
	Examined interface {
		Examine(ctx context.Context) []Finding
	}

	// Addressed tells the address that it sends from, "a@b".
	Addressed interface{ Address() string }

	// Published tells which DNS records have to be there for its mails to be believed.
	Published interface {
		Records(ctx context.Context) ([]Record, error)
	}

	// Closer lets go of connections when the connector's configuration changes.
	Closer interface{ Close() error }
)

// What a record is for, as a finding names it.
const (
	PurposeDKIM     = "DKIM record"
	PurposeMailFrom = "MAIL FROM record" // of the domain that bounces go to
)

// Record is a DNS record of the sender's domain.
type Record struct {
	Purpose string
	Type    string // CNAME, TXT or MX
	Name    string // in full, without a dot at its end
	Value   string // as it is published; "" if only the operator knows it
}

// Quota is what a provider's account may send.
type Quota struct {
	PerSecond float64 // 0: not limited
	Day       float64 // in 24 hours; 0: not limited
	Sent      float64 // in the last 24 hours
	Paused    bool    // the account may not send now
	Sandbox   bool    // only to verified addresses
}

// Level grades a finding.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Failure Level = "failure"
)

// Finding is one thing that was looked at.
type Finding struct {
	Check string `json:"check"` // what: "sender identity"
	Level Level  `json:"level"`
	Text  string `json:"text"`          // what was found
	Fix   string `json:"fix,omitempty"` // what to do about it
}

// Factory makes a sender from a connector's JSON configuration, and checks it:
// the error tells an operator what to change. It does not touch the network.
type Factory func(config []byte) (Sender, error)

// Kinds are the senders this program has, by connector id.
type Kinds map[string]Factory

// Check tells whether config can be saved for the connector id.
func (k Kinds) Check(id string, config []byte) error {
	_, err := k.make(id, config)
	return err
}

func (k Kinds) make(id string, config []byte) (Sender, error) {
	factory, ok := k[id]
	if !ok {
		return nil, fmt.Errorf("unknown connector %q (there are: %s)", id, strings.Join(slices.Sorted(maps.Keys(k)), ", "))
	}
	sender, err := factory(config)
	if err != nil {
		return nil, fmt.Errorf("configuration of connector %q: %w", id, err)
	}
	return sender, nil
}
