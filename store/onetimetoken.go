package store

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"time"
)

// OneTimeToken lets whoever holds it sign in once with an address, without a mail of
// ours: somebody else has handed it over, in a link of an app's own mail. Only its hash is
// kept.
type OneTimeToken struct {
	ID         string // 21 characters of [0-9A-Za-z]
	Email      Email
	Hash       Hash            // of the token
	Context    json.RawMessage // a TokenContext
	CreatedAt  time.Time
	ExpiresAt  time.Time
	ConsumedAt time.Time // zero: it was not used
	RevokedAt  time.Time // zero: it was not taken back
}

// TokenStatus is where a one-time token stands; the names are Logto's.
type TokenStatus string

// The statuses.
const (
	TokenActive   TokenStatus = "active"
	TokenConsumed TokenStatus = "consumed"
	TokenRevoked  TokenStatus = "revoked"
	TokenExpired  TokenStatus = "expired"
)

// Status tells where the token stands at an instant.
func (t OneTimeToken) Status(now time.Time) TokenStatus {
	switch {
	case !t.ConsumedAt.IsZero():
		return TokenConsumed
	case !t.RevokedAt.IsZero():
		return TokenRevoked
	case !now.Before(t.ExpiresAt):
		return TokenExpired
	}
	return TokenActive
}

// TokenQuery chooses one-time tokens. Its zero values choose all.
type TokenQuery struct {
	Email  Email
	Status TokenStatus
	Offset int
	Limit  int
	Count  int // how far to count
}

// TokenProof is a one-time token in the place of a code: with it, [Guess] names a challenge
// that is made with its proof. The zero value is none.
type TokenProof struct {
	Hash Hash
	TTL  time.Duration // of the challenge
}

// IsZero tells that there is no token.
func (p TokenProof) IsZero() bool { return p.Hash.IsZero() }

// TokenTry is a one-time token as a browser brings it.
type TokenTry struct {
	Token   string
	Email   Email
	Browser Hash
	Request ID

	Locale, App, BrowserName string // for the notice of a recovery; as in [Attempt]
}

// oneTimeTokenBytes is the size of a one-time token: nobody guesses 256 bits, so that no budget
// has to bound it.
const oneTimeTokenBytes = 32

// NewOneTimeToken makes a one-time token, 43 characters of base64url, and the hash that is kept.
func NewOneTimeToken() (token string, hash Hash) {
	var secret [oneTimeTokenBytes]byte
	rand.Read(secret[:])
	return base64.RawURLEncoding.EncodeToString(secret[:]), HashOf(secret[:])
}

// HashOneTimeToken is the hash of a one-time token; false for what is none.
func HashOneTimeToken(token string) (Hash, bool) {
	secret, err := DecodeBase64URL(token)
	if err != nil || len(secret) != oneTimeTokenBytes {
		return Hash{}, false
	}
	return HashOf(secret), true
}

// TokenContext is what a one-time token is for.
type TokenContext struct {
	Event string `json:"interactionEvent,omitempty"` // "ForgotPassword": it recovers an account; else it signs in or registers
}

// Event is the one that the token is for, "" for any.
func (t OneTimeToken) Event() string {
	var c TokenContext
	_ = json.Unmarshal(t.Context, &c) // written here
	return c.Event
}

// Recovers tells whether the token is one to recover an account with.
func (t OneTimeToken) Recovers() bool { return t.Event() == "ForgotPassword" }
