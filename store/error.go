package store

import (
	"errors"
	"fmt"
	"time"
)

// Code tells a program what went wrong. The set is closed.
type Code string

// The codes of an [Error].
const (
	NotFound     Code = "not_found"     // no such row, or not for this caller
	Conflict     Code = "conflict"      // it exists already, or was changed meanwhile
	Invalid      Code = "invalid"       // the input breaks a rule; Err says which
	Limited      Code = "limited"       // a limit is spent; Wait says for how long
	Unproven     Code = "unproven"      // a limit gives this only to who shows a proof; see [Limit]
	Expired      Code = "expired"       // too late
	GuessesSpent Code = "guesses_spent" // a code of this kind could not be typed now: make a longer one
	Spent        Code = "spent"         // all tries or sends are used
	Used         Code = "used"          // done before, and not by this caller
	InUse        Code = "in_use"        // something else needs it; Err says what
	Forbidden    Code = "forbidden"     // who asks lacks what it takes; Err says what
	Changed      Code = "changed"       // it is not as the caller saw it: somebody else was faster
	Unavailable  Code = "unavailable"   // the database cannot answer now
)

// Error is the only error type that leaves the store on purpose. Anything else
// is a bug or a broken database.
type Error struct {
	Code  Code
	Op    string        // what was being done: "begin challenge"
	Wait  time.Duration // with Limited: until the next attempt can succeed
	Limit string        // with Limited, Unproven and GuessesSpent: the name of the one that refused, if one did; for metrics
	Err   error         // the cause, may be nil
}

func (e *Error) Error() string {
	msg := e.Op + ": " + string(e.Code)
	if e.Wait > 0 {
		msg += fmt.Sprintf(" for %s", e.Wait.Round(time.Second))
	}
	if e.Limit != "" {
		msg += ": limit " + e.Limit
	}
	if e.Err != nil {
		msg += ": " + e.Err.Error()
	}
	return msg
}

func (e *Error) Unwrap() error { return e.Err }

// CodeOf gives the code of err, or "" for nil and for foreign errors.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// FieldError is the Err of an [Invalid] error about one field of what was given.
type FieldError struct {
	Field  string // its path, by the names of the API: "redirectUris[1]"
	Reason string // what is wrong, and what would be right
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// InvalidField makes the error for a field.
func InvalidField(op, field, reason string) error {
	return &Error{Code: Invalid, Op: op, Err: &FieldError{Field: field, Reason: reason}}
}
