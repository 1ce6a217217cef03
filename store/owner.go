package store

import "time"

// Owner is who may do everything in the instance: whoever has the account of an address,
// once there is one. As long as somebody is one, no other account gets the address, and
// theirs keeps it.
type Owner struct {
	Email       Email
	CreatedAt   time.Time
	User        string    // the account; "" if nobody has registered with the address yet
	SuspendedAt time.Time // the account's
}
