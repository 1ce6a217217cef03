package store

import "time"

// Disowned is a challenge that the owner of its address did not ask for, as the link
// in its mail tells of it.
type Disowned struct {
	Challenge ID
	Browser   Hash // that asked
	Email     Email
	Event     ID // of the audit event

	Address, Former Hash // keyed hashes of Email, as in [NewChallenge]

	// What the page shows: when and where it was asked, by which browser, for which app.
	Asked                   time.Time
	App, BrowserName, Place string
}

// Undone is what became of a [Disowned] challenge.
type Undone struct {
	SignedOut  bool      // its browser had signed in with it, and is signed out
	MutedUntil time.Time // until then mails go to browsers that have signed in before only; zero: not any more
}
