package store

import "time"

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
}
