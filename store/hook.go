package store

import "time"

// MaxHooks bounds how many webhooks an instance has: each one has workers of its own.
const MaxHooks = 50

// Hook is a webhook: where to post when something happens.
type Hook struct {
	ID                   string // 21 characters of [0-9A-Za-z]
	Name                 string
	Events               []string // by Logto's names, each once
	URL                  string
	Sealed               []byte // signing key, headers and how often to try again
	Enabled              bool
	CreatedAt, UpdatedAt time.Time
}

// HookResult is how an attempt at a delivery ended.
type HookResult struct {
	ID      ID
	State   HookState     // HookWaiting: it is tried again
	Retry   time.Duration // with HookWaiting: after this
	Untried bool          // with HookWaiting: nothing was posted, the attempt does not count
	Status  int           // of the answer, 0 for none
	Error   string        // what went wrong, for people; "" for nothing
}

// HookLogFilter says which deliveries of a hook are meant: those that were tried, or
// settled untried.
type HookLogFilter struct {
	Hook     string
	Event    string    // "" for any
	State    HookState // 0 for any
	From, To time.Time // when they were queued, both included; To zero: until now
	Newest   int       // how many of the newest of that time are looked at; 0: all
}

// HookCounts tells how a hook gets on.
type HookCounts struct {
	Requests  int // posts, each attempt
	Successes int // deliveries that came through
	GivenUp   int // deliveries that did not, and are not tried again
}
