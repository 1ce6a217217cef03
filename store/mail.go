package store

import (
	"encoding/base64"
	"time"
)

// Usage is the kind of a mail; the names are Logto's usage types.
type Usage string

// The usages.
const (
	UsageSignIn         Usage = "SignIn"
	UsageRegister       Usage = "Register"
	UsageForgotPassword Usage = "ForgotPassword"
	UsageGeneric        Usage = "Generic"

	UsageOrganizationInvitation   Usage = "OrganizationInvitation"   // a link, no code
	UsageUserPermissionValidation Usage = "UserPermissionValidation" // before something that needs a fresh proof
	UsageBindNewIdentifier        Usage = "BindNewIdentifier"        // a new address for an account
	UsageMfaVerification          Usage = "MfaVerification"          // worded as Generic, as the next
	UsageBindMfa                  Usage = "BindMfa"

	// Ours; none holds a code.
	UsageRecovered Usage = "Recovered" // a notice: somebody got back into the account
	UsageNoAccount Usage = "NoAccount" // the answer to a recovery of an address without an account
	UsageClosed    Usage = "Closed"    // the same where no account can be made with it
)

// Usage gives the mail for a purpose.
func (p Purpose) Usage() Usage {
	switch p {
	case PurposeSignIn, PurposeConsole:
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

// The states that are stored.
const (
	MailQueued     MailState = 1
	MailSent       MailState = 2
	MailFailed     MailState = 3 // given up: refused by the sender
	MailExpired    MailState = 4 // its TTL ended before any sender took it
	MailSuppressed MailState = 5 // never tried: its address takes no mail
)

// The states that a sent mail has by what its provider told later.
const (
	MailDelayed    MailState = 6 // the recipient's server does not take it yet
	MailDelivered  MailState = 7
	MailBounced    MailState = 8
	MailComplained MailState = 9  // the recipient calls it spam
	MailRejected   MailState = 10 // the provider thought better of it
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
	Link    string    `json:"link,omitempty"`  // signs in with one click; an option
	NotMe   string    `json:"notMe,omitempty"` // for who did not ask for it

	Organization string `json:"organization,omitempty"` // that invites

	Console bool `json:"console,omitempty"` // of the console's sign-in: the ceiling of all mails does not hold it back from operators
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
	Locale  string        // as in the [Message]

	Address   Hash   // keyed hash of the recipient
	Before    Hash   // the same under the secret before a rotation, or zero
	Recipient []byte // the recipient's address, sealed

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
	Listed    bool // its address has gone on the suppression list since it was queued
	Attempts  int
	CreatedAt time.Time
	ExpiresAt time.Time
}

// LeastLife is what a mail has to have left when it is sent: a person has to find
// it, read it and type its code. A mail that lives shortly needs a quarter
// of its life.
const LeastLife = time.Minute

// LastCall is when a mail is not worth sending any more.
func LastCall(created, expires time.Time) time.Time {
	return expires.Add(-min(LeastLife, expires.Sub(created)/4))
}

// DroppedMail is the error of a mail that was not sent because of that.
const DroppedMail = "dropped: no sender took it in time, and too little of its life is left to be of use"

// Settled is what became of one leased mail.
type Settled struct {
	ID       ID
	State    MailState     // MailQueued: try again after Retry
	Retry    time.Duration // with MailQueued
	Leased   time.Time     // with MailQueued: one that is leased beyond this is somebody else's by now, and left alone; zero: it is not looked at
	Sender   string        // connector that took or refused it
	Provider string        // the sender's own id for the mail
	Error    string        // the sender's words, no address and no code in it
	Own      bool          // for a reason of this mail or its recipient, which says nothing of others: its page is not told
	Refused  bool          // by its address, for good: it goes on the suppression list
}

// FeedbackKind is what a provider tells of a mail that it took.
type FeedbackKind string

// The kinds.
const (
	FeedbackDelay     FeedbackKind = "delay"
	FeedbackDelivery  FeedbackKind = "delivery"
	FeedbackBounce    FeedbackKind = "bounce"
	FeedbackComplaint FeedbackKind = "complaint"
	FeedbackReject    FeedbackKind = "reject"
)

// Feedback is one notification about a mail.
type Feedback struct {
	Notification Hash      // names it: told twice, it counts once
	Until        time.Time // how long that is remembered
	Provider     string    // the provider's id of the mail
	Sender       string    // the connector that the mail went through
	Kind         FeedbackKind
	Permanent    bool // a bounce that will happen again
	At           time.Time
	Detail       string // the provider's words, no address in it
}

// Delivery is what is known about one mail. It never holds the code.
type Delivery struct {
	ID        ID
	Challenge ID
	Usage     Usage
	Locale    string
	Address   Hash   // keyed hash of the recipient; zero in rows of earlier versions
	Recipient []byte // sealed, with Address as associated data
	Decoy     bool
	State     MailState // with what the provider told
	Attempts  int
	Sender    string // connector, "" while none took it
	Provider  string // the provider's id
	Error     string
	Feedback  string

	CreatedAt, ExpiresAt, SettledAt                             time.Time
	DelayedAt, DeliveredAt, BouncedAt, ComplainedAt, RejectedAt time.Time
}

// DeliveryFilter chooses mails. A zero field chooses by nothing.
type DeliveryFilter struct {
	Addresses []Hash // of the recipient, under each live secret
	State     MailState
	Withheld  bool // only those that went nowhere on purpose; with State, never those
	Sender    string
	Usage     Usage
	Before    ID // only those before this one, in the order of the list
	Limit     int

	Since, Until time.Time // when they were queued; Until is not included
	Newest       int       // looks at so many at most, before anything else chooses; 0: at all
}

// IsNarrow tells whether something chooses that no index helps with: few of many may fit.
func (f DeliveryFilter) IsNarrow() bool {
	return len(f.Addresses) == 0 && (f.State != 0 || f.Withheld || f.Sender != "" || f.Usage != "")
}

// MailCount is how many mails of one connector are in one state.
type MailCount struct {
	Sender string // "" while no connector took or refused them
	State  MailState
	Count  int
}

// Reason is why an address takes no mail.
type Reason string

// The reasons.
const (
	ReasonBounce    Reason = "bounce"
	ReasonComplaint Reason = "complaint"
	ReasonRefused   Reason = "refused" // when it was handed over
	ReasonManual    Reason = "manual"
)

// Suppression is an address that takes no mail until it is lifted.
type Suppression struct {
	Address   Hash
	Recipient []byte // sealed, with Address as associated data
	Reason    Reason
	Detail    string
	Sender    string
	Mail      ID // by which it was learned, or zero
	CreatedAt time.Time
}

// SuppressionTarget names a suppressed address as the Target of an [Event].
func SuppressionTarget(address Hash) string {
	return "suppression:" + base64.RawURLEncoding.EncodeToString(address[:])
}

// MailTarget names a mail so.
func MailTarget(id ID) string { return "mail:" + id.String() }

// SuppressionFilter chooses a page of the suppression list, or the rows of one address.
type SuppressionFilter struct {
	Addresses []Hash      // under each live secret; nil: all
	Before    Suppression // only those behind this one; its time and Address are looked at
	Limit     int
}

// MailTemplate words a mail in the place of ours. The variables are Logto's:
// {{ code }}, {{ link }}, {{ application.name }} and so on.
type MailTemplate struct {
	ID          string
	Usage       Usage
	Locale      string // BCP 47; "" for any, in a connector's own templates
	Subject     string
	Content     string
	ContentType string // "text/html" or "text/plain"
	ReplyTo     string
	SendFrom    string // "Name <a@b>" or "a@b"; "": the connector's own
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// ConnectorHealth is how one replica gets on with one connector.
type ConnectorHealth struct {
	Connector string
	Replica   ID
	At        time.Time // when it was told
	Health    []byte    // JSON, as the mailer writes it
}

// InboxItem is one mail in the development mailbox, sealed.
type InboxItem struct {
	ID        ID
	Sealed    []byte
	CreatedAt time.Time
}
