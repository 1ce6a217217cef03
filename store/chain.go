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
	CreatedAt   time.Time
}

// EventAnchor is where the chain begins after its oldest batches were removed on purpose.
type EventAnchor struct {
	No    int64 // the last batch that was removed; 0: none was
	Hash  Hash  // its hash
	MAC   Hash
	CutAt time.Time
}

// Unchained is an event that is in no batch yet, and what there is of whom it is about.
type Unchained struct {
	Event
	Known bool   // the account is there
	Key   []byte // sealed key of the person, nil if there is none yet
}

// UserKey is the key that what is personal about somebody is sealed under; it goes with
// the account.
type UserKey struct {
	User   string
	Sealed []byte
}
