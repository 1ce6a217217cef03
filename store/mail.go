package store

import "time"

// Usage is the kind of a mail; the names are Logto's usage types.
type Usage string

// The usages.
const (
	UsageSignIn         Usage = "SignIn"
	UsageRegister       Usage = "Register"
	UsageForgotPassword Usage = "ForgotPassword"
	UsageGeneric        Usage = "Generic"

	// Ours; neither holds a code.
	UsageRecovered Usage = "Recovered" // a notice: somebody got back into the account
	UsageNoAccount Usage = "NoAccount" // the answer to a recovery of an address without an account
)

// Usage gives the mail for a purpose.
func (p Purpose) Usage() Usage {
	switch p {
	case PurposeSignIn:
		return UsageSignIn
	case PurposeRegister:
		return UsageRegister
	case PurposeRecover:
		return UsageForgotPassword
	}
	return UsageGeneric
}

// MailState is where a queued mail stands; the numbers are stored.
type MailState int16

// The states.
const (
	MailQueued  MailState = 1
	MailSent    MailState = 2
	MailFailed  MailState = 3 // given up: refused by the sender
	MailExpired MailState = 4 // its TTL ended before any sender took it
)

// Message is what a mail says. It is sealed while it waits: it holds the code.
type Message struct {
	To      Email     `json:"to"`
	Usage   Usage     `json:"usage"`
	Locale  string    `json:"locale"` // BCP 47: "en", "ja"
	Code    string    `json:"code"`
	CodeTTL int       `json:"ttl"` // minutes the code lives; without a code, what the mail is worth sending for
	App     string    `json:"app"` // name of the client
	Browser string    `json:"browser,omitempty"`
	Place   string    `json:"place,omitempty"` // the network it was asked from
	Asked   time.Time `json:"asked"`
}

// NewMail is a row of the queue.
type NewMail struct {
	ID      ID
	Usage   Usage
	Payload []byte        // a sealed [Message]
	Made    time.Time     // before its row is written, so that lease and TTL end no earlier than counted from it
	TTL     time.Duration // after it the mail is not worth sending
	Worker  ID            // the replica that sends it at once
	Lease   time.Duration // after it any replica takes over

	Other *OtherMail // goes instead of it if the address has no account; nil: there is none
}

// OtherMail takes a mail's place in its row.
type OtherMail struct {
	Usage   Usage
	Payload []byte // a sealed [Message]
}

// Notice is a mail that goes with the consequence of a proof.
type Notice struct {
	Mail    NewMail
	Message Message
}

// IsZero tells that there is none.
func (n Notice) IsZero() bool { return n.Mail.ID.IsZero() }

// QueuedMail is a mail that a worker holds a lease on.
type QueuedMail struct {
	ID        ID
	Challenge ID
	Usage     Usage
	Payload   []byte
	Decoy     bool // goes through all states and is sent nowhere
	Attempts  int
	ExpiresAt time.Time
}

// Settled is what became of one leased mail.
type Settled struct {
	ID       ID
	State    MailState     // MailQueued: try again after Retry
	Retry    time.Duration // with MailQueued
	Sender   string        // connector that took or refused it
	Provider string        // the sender's own id for the mail
	Error    string        // the sender's words, no address and no code in it
}

// InboxItem is one mail in the development mailbox, sealed.
type InboxItem struct {
	ID        ID
	Sealed    []byte
	CreatedAt time.Time
}
