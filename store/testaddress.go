package store

import "time"

// TestAddress is an address whose code is always the same: no mail goes to it, and whoever knows
// the code is in. It ends by itself, and is never an operator's.
type TestAddress struct {
	Email     Email
	Code      []byte // sealed
	CreatedAt time.Time
	EndsAt    time.Time
}

// Mark tells the code that it has now from those that it had before: challenges carry it. It is
// never zero, nor one, which an earlier release says of all.
func (t TestAddress) Mark() int16 { return int16(t.CreatedAt.UnixMicro()%TestMarks + 2) }

// TestMarks is how many there can be.
const TestMarks = 1<<15 - 2

// Live tells whether its code is right at a time.
func (t TestAddress) Live(now time.Time) bool { return now.Before(t.EndsAt) }

// What bounds test addresses.
const (
	MaxTestAddresses = 100                 // there can be
	MaxTestPeriod    = 91 * 24 * time.Hour // they are good for: 90 days and what is left of the last
	MinTestDigits    = 6                   // of a code
	MaxTestDigits    = 10
)
