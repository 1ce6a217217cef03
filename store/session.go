package store

import (
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// Session is a live session of a browser.
type Session struct {
	Hash      Hash
	Browser   Hash // of the browser's cookie
	User      User
	AuthTime  time.Time // when the person proved who they are
	AMR       []string
	ExpiresAt time.Time // unless it is used before
	SeenAt    time.Time // when an app was last let in with it
	Agent     string    // the browser it was made in, "" if that is not known
}

// Ending says which sessions of a person to end. What hangs on a session ends with
// it: its codes, its grants, and of the grants that outlive sessions those of Client,
// or all.
type Ending struct {
	User    string
	Session Hash    // it, and those of the same browser that it replaced; zero: all, and all grants
	Client  string  // who asked for it, "" for the person
	Offline bool    // end also the grants that outlive sessions
	Event   string  // kind of the audit event, "" for none
	Told    []Event // entries for the audit log, of who is not the person

	// Keyed hashes of the person's address, as in [NewChallenge]: with all sessions, the
	// browsers that are known for it are forgotten.
	Address, Former Hash
}

// SessionID names a session to apps (the claim sid of OpenID Connect Front-Channel Logout
// section 3) and to administrators, without telling them what the database keeps of it.
func SessionID(session Hash) string {
	sum := sha256.Sum256(append([]byte("sid"), session[:]...))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Redemption asks for the tokens of an authorization code. Everything a thief
// could lack is compared in one statement.
type Redemption struct {
	Code        Hash
	Client      string
	RedirectURI string
	Challenge   string // S256 of the presented verifier, "" when none was presented
	Grant       ID     // of the grant to make
	Access      Hash   // of the access token
	AccessTTL   time.Duration
	Refresh     NewRefresh
	Resource    string // id of the resource that access is for, "" for none
	Attempt     Hash   // random, new for each request
}

// NewRefresh is the first refresh token of a grant. It is worth something if the
// code was made for a grant that outlives its session, or always.
type NewRefresh struct {
	Hash     Hash
	Always   bool
	Idle     time.Duration // it dies when it was not used for so long
	Absolute time.Duration // and all that follow it after this
}

// Grant is what a client may do for a person, made from a code.
type Grant struct {
	ID       ID
	Client   string
	Scopes   []string
	Nonce    string
	Session  Hash
	AuthTime time.Time
	AMR      []string
	User     User

	Roles   []string // names of the person's roles, in order; read where the scope roles is granted
	Allowed []string // names of the scopes that the person's roles allow at the resource that was asked for, in order
}

// GrantSummary is what a person's list of grants tells of one.
type GrantSummary struct {
	ID         ID
	Client     string
	ClientName string
	Scopes     []string
	CreatedAt  time.Time
	ExpiresAt  time.Time // unless it is used before
	Session    Hash
	Offline    bool // it outlives its session
}

// Refresh presents a refresh token (RFC 6749 section 6). Next and Access are
// derived from the token, so that the same request twice has the same answer.
type Refresh struct {
	Grant     ID
	Client    string
	Presented Hash
	Genuine   bool          // it was issued here: if it is not the live one, it was used before
	Next      []Hash        // its successor under each live secret; the first one is written
	Rotate    time.Duration // age from which the token is replaced; 0: at each use
	Grace     time.Duration // how long a replaced token still gets its successor
	Idle      time.Duration
	Resource  string // id of the resource that access is for, for which no access token is kept; "" for none
	Access    Hash   // of the access token
	AccessTTL time.Duration
	Scopes    []string // of the access token, nil for the grant's
	Revoked   int      // access tokens of the grant that were revoked, as far as Access takes them into account
}

// Refreshed is the answer.
type Refreshed struct {
	Grant
	Next    int // which of Refresh.Next is the live token; -1: the presented one still is
	Revoked int // as it is, with [Conflict]
}

// Revocation ends a token (RFC 7009). An access token goes alone, a refresh token takes
// its grant along.
type Revocation struct {
	Grant   ID
	Client  string
	Token   Hash
	Refresh bool // it is a refresh token
	Genuine bool // one that was issued here, if it is not the live one
	Proved  bool // the client has shown a secret or a key: its word is taken for tokens that are not kept any more
}

// Token is what a live access or refresh token stands for (RFC 7662 section 2.2).
type Token struct {
	Grant
	Refresh   bool
	ExpiresAt time.Time
}
