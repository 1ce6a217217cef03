package store

import "time"

// OperatorRole is what somebody may do in the console.
type OperatorRole string

// The roles, each of which may do what the ones after it may.
const (
	RoleOwner  OperatorRole = "owner"  // everything
	RoleAdmin  OperatorRole = "admin"  // all but what would make an owner of somebody: who enters, what sends mails and words them, keys
	RoleViewer OperatorRole = "viewer" // looks
)

// Covers tells whether a role may do what takes at least another one.
func (r OperatorRole) Covers(least OperatorRole) bool {
	rank := map[OperatorRole]int{RoleViewer: 1, RoleAdmin: 2, RoleOwner: 3}
	return rank[r] >= rank[least] && rank[least] > 0
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
