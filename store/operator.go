package store

import (
	"slices"
	"time"
)

// OperatorRole is what somebody may do in the console.
type OperatorRole string

// OperatorRoles are all of them, the strongest first.
var OperatorRoles = []OperatorRole{RoleOwner, RoleAdmin, RoleViewer}

// The roles, each of which may do what the ones after it may.
const (
	RoleOwner  OperatorRole = "owner"  // everything
	RoleAdmin  OperatorRole = "admin"  // all but what would make an owner of somebody: who enters, what sends mails and words them, keys
	RoleViewer OperatorRole = "viewer" // looks
)

// Covers tells whether a role may do what takes at least another one.
func (r OperatorRole) Covers(least OperatorRole) bool {
	mine, needed := slices.Index(OperatorRoles, r), slices.Index(OperatorRoles, least)
	return mine >= 0 && mine <= needed
}

// Operator is who may enter the console: whoever has the account of an address, once there
// is one. As long as somebody is one, no other account gets the address, and theirs keeps
// it. One who is an owner stays.
type Operator struct {
	Email       Email
	Role        OperatorRole
	CreatedAt   time.Time
	User        string    // the account; "" if nobody has registered with the address yet
	SuspendedAt time.Time // the account's
}

// ConsoleSession is a live session of the console. It is none of an app's: it neither lets
// anybody into apps nor ends with a session that does.
type ConsoleSession struct {
	Hash      Hash
	User      User
	Role      OperatorRole
	AuthTime  time.Time // when the person proved who they are
	ExpiresAt time.Time // unless it is idle before
}

// ConsoleLink is a way into the console that somebody at the machine has made; it works once.
type ConsoleLink struct {
	Hash      Hash // of its secret
	Email     Email
	ExpiresAt time.Time
}

// ConsoleEntry uses a [ConsoleLink].
type ConsoleEntry struct {
	Link    Hash
	Browser Hash
	Session NewSession
	UserID  string // of the account if one has to be made
}
