package store

import (
	"net/netip"
	"time"
)

// Purpose is what a code is for. A code made for one purpose is worth nothing
// for another.
type Purpose int16

// The purposes; the numbers are stored.
const (
	PurposeSignIn   Purpose = 1
	PurposeRegister Purpose = 2
	PurposeRecover  Purpose = 3
	PurposeConsole  Purpose = 5 // an operator enters the console
	PurposeVerify   Purpose = 4 // an app asks for itself whether somebody reads an address; nobody is signed in
)

// ConsoleDigits are the least that a code has that opens the console: who gets in there can
// do everything.
const ConsoleDigits = 8

// MaxDigits are the most that a code has. A longer one has letters, too, and is mailed while
// nobody could type a short one.
const MaxDigits = 10

// MaxLiveCodes is how many codes of one challenge can be right at once: people
// type the first mail's code after asking for a second.
const MaxLiveCodes = 3

// Window is one rate: Count in Period.
type Window struct {
	Count  int
	Period time.Duration
}

// Limit is one budget row: a key (a keyed hash, so that a dump shows no address)
// and one or two windows, all of which must have room. The zero Limit is no
// limit. One of an address has a second key, of the pool that the browser has for
// itself: the store picks it if the browser is known for the address.
type Limit struct {
	Name    string    // of the limit, for messages and metrics
	Key     Hash      // of the one budget, or of the pool that strangers share
	Known   Hash      // of the browser's own pool; zero: there are no pools
	Windows [2]Window // the second may be zero

	// Free is what is given without a proof that somebody took trouble over it. Beyond
	// it, who shows one is given more: his Free is zero, and takes nothing from it.
	Free Window
}

// IsZero tells that nothing is limited.
func (l Limit) IsZero() bool { return l.Windows[0].Count == 0 }

// LimitMails names the ceiling on all mails together, of all addresses and replicas.
const LimitMails = "mails"

// NewChallenge is one browser's attempt to prove that it reads an address.
type NewChallenge struct {
	ID       ID
	Purpose  Purpose
	Browser  Hash  // hash of the browser's cookie
	Request  ID    // the authorization request it belongs to
	Email    Email // not stored: only compared with users.email
	Address  Hash  // keyed hash of Email
	Former   Hash  // the same under the secret before a rotation, or zero
	MAC      Hash  // of the first code
	Length   int   // characters of the code
	CodeTTL  time.Duration
	TTL      time.Duration
	NextSend time.Duration // wait until a resend is allowed
	Tries    int           // wrong guesses allowed
	Sends    int           // mails allowed in all
	Mail     NewMail
	Test     int16 // the code is that of a test address, and this its [TestAddress.Mark]: no mail leaves, and it is right while the address has it

	IP        Limit // sends per network; refunded when the code is redeemed
	Waits     Limit // those of the network whose proof is that they have waited; zero for all others
	Recipient Limit // sends per address, folded
	Unknown   Limit // sends to an address without an account: beyond it the mail is a decoy
	Guesses   Limit // wrong guesses: it must have room, and nothing is taken from it; zero: the code needs none
}

// Resend asks for one more code on a live challenge. Fields as in [NewChallenge].
type Resend struct {
	ID       ID
	Browser  Hash
	Request  ID
	Email    Email
	Address  Hash
	Former   Hash
	MAC      Hash
	Length   int
	CodeTTL  time.Duration
	NextSend time.Duration
	Mail     NewMail
	Test     int16

	IP, Waits, Recipient, Unknown, Guesses Limit
}

// Begun tells where a challenge stands after a code was sent.
type Begun struct {
	ID        ID
	SentAt    time.Time
	ExpiresAt time.Time // of the challenge
	NextSend  time.Time // when another code may be asked for; zero: never
	Sends     int       // mails so far
	Length    int       // characters of the newest code; 0: not known
	Decoy     bool      // the mail is to reach nobody
	Other     bool      // the mail is the one for an address without an account
	Again     bool      // it was begun before, and no new mail was queued

	Suppressed bool // the address takes no mail: it was not queued
}

// Guess is a proof that is offered: the code a person typed, as keyed MACs under
// the live keys.
type Guess struct {
	Challenge ID
	Browser   Hash
	Purpose   Purpose
	Request   ID
	Email     Email
	Address   Hash   // keyed hash of Email
	Former    Hash   // the same under the secret before a rotation, or zero
	MACs      []Hash // one or two
	Confirm   bool   // the person agreed to register instead of signing in, or the reverse
	Closed    bool   // no account can be made with the address
	Attempt   Hash   // random, new for each guess
	Notice    Notice // mailed if the guess is right; the zero Notice is none

	// Token proves in the place of a code: the challenge is made here, with it.
	Token TokenProof

	IP      Limit // wrong guesses per network
	Account Limit // wrong guesses per address
}

// Outcome is what became of a guess.
type Outcome int

// The outcomes. Only the browser that owns the challenge is told more than
// OutcomeGone.
const (
	OutcomeAccepted   Outcome = iota + 1
	OutcomeWrong              // TriesLeft more
	OutcomeStale              // a code of this challenge that is too old; TriesLeft more
	OutcomeSpent              // no tries left on this challenge
	OutcomeExpired            // the challenge is too old
	OutcomeUsed               // the challenge was completed before
	OutcomeGone               // no such challenge for this browser, purpose and request
	OutcomeConfirm            // right, but the account does not exist (sign-in) or does (register): ask
	OutcomeSuspended          // right, but the account is suspended
	OutcomeLimited            // a limit is spent; Wait
	OutcomeClosed             // right, but there is no account, and none can be made
	OutcomeNoOperator         // right, but the console is not theirs to enter
)

// Completion is the consequence of a proof: what is written with it in the same
// transaction. A zero part is left out; without a session nothing is written but that the
// challenge is used.
type Completion struct {
	Session NewSession
	Code    NewCode
	Others  bool   // end everything else that the account has: sessions, codes, grants, known browsers (recovery)
	Event   string // kind of the audit event; "user.registered" takes its place when the account was made
	UserID  string // id of the account if one has to be made; "": none is
}

// NewSession is a browser's session with us, named by the hash of its secret.
type NewSession struct {
	Console  bool // it is one of the console's, see [ConsoleSession]
	Hash     Hash
	Idle     time.Duration
	Absolute time.Duration
	AMR      []string // RFC 8176
	Replaces Hash     // the session this browser had before; it ends
	Agent    string   // the browser, as people are told of it
}

// NewCode is an authorization code (RFC 6749 section 4.1.2), named by its hash.
type NewCode struct {
	Hash          Hash
	Client        string
	RedirectURI   string
	CodeChallenge string // S256, "" when the client sent none
	Nonce         string
	Scopes        []string
	Resources     []string // see [AuthRequest]
	Offline       bool     // what it gives outlives the session (OpenID Connect Core section 11)
	Subject       string   // the only person it is issued for, "" for any
	TTL           time.Duration
}

// SignedIn is the result of a guess or of a live session.
type SignedIn struct {
	Outcome   Outcome
	User      string // id, with OutcomeAccepted
	TriesLeft int
	Limit     string        // with OutcomeLimited: the one that refused, the network's first
	Wait      time.Duration // with OutcomeLimited
	Purpose   Purpose

	Unsent bool // the notice was not queued: its address takes no mail

	Refund      Hash // budget of the network that asked for the codes, with OutcomeAccepted
	RefundUnits int

	// Missed is by how much this guess changes the number of wrong guesses on challenges that
	// were not redeemed: 1 if it was compared and wrong, less than 0 if it redeems a challenge
	// that had some.
	Missed int
}

// ChallengeState is what the owning browser may know about its challenge.
type ChallengeState struct {
	SentAt    time.Time // of the newest mail
	TriesLeft int
	Sends     int
	SendsLeft int
	NextSend  time.Time
	ExpiresAt time.Time
	CodeUntil time.Time // of the newest code
	Length    int       // its characters; 0: not known
	Consumed  bool
	Mail      MailState // of the newest mail
}

// Attempt asks for a code: what the code engine takes from a page.
type Attempt struct {
	Purpose     Purpose
	Email       Email
	Browser     Hash       // hash of the browser's cookie
	Request     ID         // the authorization request
	IP          netip.Addr // the visitor's
	Locale      string     // of the mail, BCP 47
	App         string     // name of the client, for the mail
	BrowserName string     // "Firefox on Windows", for the mail

	Closed  bool          // no account can be made with the address: if there is none, the mail says so
	CodeTTL time.Duration // of the code, if it is shorter than the instance's; 0: the instance's
	Tries   int           // wrong guesses, if they are fewer than the instance's; 0: the instance's

	Solution Solution // of a puzzle; zero until one was shown

	// Link makes the link that signs in with a code of the challenge, which is right
	// until then. Nil or an empty link: the mail has none.
	Link func(challenge ID, code string, until time.Time) string
}

// Solution is what a page brings back that was shown a [Puzzle]. One that brings neither
// answer nor token has waited.
type Solution struct {
	Puzzle string // as it was shown
	Answer string // to the work
	Token  string // of the service that tells people from programs
}

// Puzzle is what a network's next code takes beyond what it gets for nothing. It is bound
// to the attempt: its browser, authorization request, purpose and address.
type Puzzle struct {
	Sealed  string        // comes back with the solution
	Seed    string        // of the work, in hex; "" where the service tells
	Parts   int           // of the work
	Bits    int           // of each part
	Subject string        // what the service's token is to be for; "" where there is work
	Wait    time.Duration // for those who can show nothing else

	Early  bool // it was brought back too early, or somebody else of the network was faster
	Failed bool // it was brought back with a solution that is none
}

// Again asks for one more code on a live challenge.
type Again struct {
	Challenge ID
	Attempt
}

// Try is a code as a person typed it.
type Try struct {
	Challenge ID
	Purpose   Purpose
	Email     Email
	Browser   Hash
	Request   ID
	IP        netip.Addr
	Code      string
	Confirm   bool // the person agreed to register instead of signing in, or the reverse
	Closed    bool // no account can be made with the address

	Locale, App, BrowserName string // for the notice of a recovery; as in [Attempt]
}

// Verification is an app that asks, through the management API, whether somebody reads an
// address. There is no browser: the app stands in its place.
type Verification struct {
	Client string // id of the app
	App    string // its name, for the mail
	Email  Email
	Locale string
}
