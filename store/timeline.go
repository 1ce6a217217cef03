package store

import "time"

// Tried is what became of a challenge, for administrators. It never tells whose it is.
type Tried struct {
	ID              ID
	Purpose         Purpose
	Tries, MaxTries int // wrong guesses
	Sends, MaxSends int
	CreatedAt       time.Time
	ExpiresAt       time.Time
	ConsumedAt      time.Time // zero: no right code was typed
}

// Names of the limits that bound an address (package otp says why they are there).
const (
	LimitRecipientSends = "recipient_sends"
	LimitUnknownSends   = "unknown_sends"
	LimitUnknownNotices = "unknown_notices"
	LimitAccountGuesses = "account_guesses"
)
