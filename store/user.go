package store

import (
	"encoding/json"
	"time"
)

// Email is a canonical address: ASCII local part, domain in punycode, all lower
// case. Make one with store/address, never by conversion of user input.
type Email string

// User is an account. It appears only after its address was verified.
type User struct {
	ID                   string // 12 characters of [0-9A-Za-z]
	Email                Email
	Name                 string // may be ""
	CreatedAt, UpdatedAt time.Time
	SuspendedAt          time.Time // zero: not suspended

	// The rest is not read on the way of a sign-in.
	Username   string          // unique where it is set, "" for none
	Avatar     string          // URL, "" for none
	Profile    json.RawMessage // object: claims of OpenID Connect Core section 5.1 under Logto's names; nil: none
	CustomData json.RawMessage // object; nil: none
	Client     string          // the app that the account was made in, "" if that is not known
}
