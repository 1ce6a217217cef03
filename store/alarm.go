package store

import "time"

// AlarmName names what holds for the whole instance until it ends.
type AlarmName string

// The alarms.
const (
	// AlarmGuesses: codes are guessed at on many addresses. New codes are longer.
	AlarmGuesses AlarmName = "guesses"
	// AlarmMails: the ceiling on all mails was reached. New codes are refused.
	AlarmMails AlarmName = "mails"
)

// Alarm is where one stands. The zero times of one that was never raised are stored nowhere.
type Alarm struct {
	Name   AlarmName
	Raised time.Time // when it was raised last; zero: never
	Ended  time.Time // when it ended last, zero while it is on
}

// On tells whether it holds.
func (a Alarm) On() bool { return !a.Raised.IsZero() && a.Ended.IsZero() }

// GuessCount is what one replica has counted in one stretch of time.
type GuessCount struct {
	At       time.Time // start of the stretch
	Missed   int       // wrong guesses on challenges that were not redeemed, less those on challenges that were redeemed since
	Redeemed int       // challenges
}

// GuessWindows says over what is counted: from Since on, and from Lately on, which is later.
type GuessWindows struct{ Since, Lately time.Time }

// GuessSums is what all replicas have counted.
type GuessSums struct{ Since, Lately GuessCount }
