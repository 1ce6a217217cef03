package store

import (
	"encoding/json"
	"time"
)

// Event is an entry of the audit log: something that matters for security happened, or
// somebody changed how things are. It is written in the same transaction as what it tells.
type Event struct {
	ID      ID        // zero: one is made when it is written
	At      time.Time // when it was written
	Kind    string    // noun and past participle: "client.created", "user.signed_in"
	Actor   string    // who: "user:ID", "client:ID", "command"; "" for the person of User
	User    string    // whose account it is about, "" for none
	Client  string    // the app it is about, "" for none
	Target  string    // what it was done to, if it is neither: "hook:ID"
	Request string    // id of the HTTP request, "" for none

	// Detail is a JSON object: before, after and the like, with no secret and nothing
	// personal. Nil: there is nothing to say.
	Detail json.RawMessage

	// Personal is a JSON object, sealed: network address, browser, mail address, what was
	// personal before and after. Nil: there is nothing.
	Personal []byte
	KeyID    string // whose key Personal is under: a user's id, "" for the instance
	Batch    int64  // the link of the chain it is in; 0: none yet
}
