package store

import "time"

// Session is a live session of a browser.
type Session struct {
	Hash      Hash
	User      User
	AuthTime  time.Time // when the person proved who they are
	AMR       []string
	ExpiresAt time.Time
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
	Attempt     Hash // random, new for each request
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
}
