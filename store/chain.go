package store

import "time"

// EventBatch is a link of the chain that the audit log hangs on: a Merkle tree over its
// events, in the order of their ids, and the hash of the batch before. How they are made
// is package audit's.
type EventBatch struct {
	No          int64 // from 1, without a gap
	First, Last ID    // of its events
	Size        int64 // how many there are
	Root        Hash
	Hash        Hash // over all of this and the hash before
	MAC         Hash // of Hash, under a key of the instance

	// Leaves is an index of the events, which only helps to say what is broken.
	Leaves    []byte
	CreatedAt time.Time
}

// EventAnchor is where the chain begins after its oldest batches were removed on purpose.
type EventAnchor struct {
	No    int64 // the last batch that was removed; 0: none was
	Hash  Hash  // its hash
	MAC   Hash
	CutAt time.Time
}

// KeyedEvent is an event with the key of whom it is about.
type KeyedEvent struct {
	Event
	Key []byte // sealed; nil if there is none, or none any more
}

// Unchained is an event that is in no batch yet.
type Unchained struct {
	KeyedEvent
	Known bool // whom it is about has an account
}

// EventFilter says which events; a zero field says nothing.
type EventFilter struct {
	User, Client, Kind string
	Actor              string    // who did it, as in [Event]; not ""
	Since, Until       time.Time // Until is not included
}

// EventPlace is a place in a list of events, which is by time and id.
type EventPlace struct {
	At time.Time
	ID ID
}

// Place is where the event is.
func (e Event) Place() EventPlace { return EventPlace{e.At, e.ID} }

// UserKey is the key that what is personal about somebody is sealed under; it goes with
// the account.
type UserKey struct {
	User   string
	Sealed []byte
}
