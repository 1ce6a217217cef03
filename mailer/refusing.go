package mailer

import (
	"time"

	"idp/store"
)

// Refusals are mails that a connector refused one after the other, each for a reason that is
// the mail's own. Such an answer keeps no other mail away, because a stranger can bring it
// about by typing an address. But a server that relays for nobody any more says the same, to
// everybody: a long row is worth a look, and no more than that.
type Refusals struct {
	Recipients int       `json:"recipients"` // different ones, counted up to 100
	Since      time.Time `json:"since"`      // of the first
	Last       time.Time `json:"last"`
	Words      string    `json:"words,omitempty"` // the provider's, of the last; no address and no code in them
}

const (
	longRow    = 10  // recipients: few people mistype so often with nobody signing in in between
	longestRow = 100 // what is kept in memory of a row
)

// row is the row of refusals that a line is in.
type row struct {
	Refusals
	to map[store.Email]struct{}
}

// refused notes a refusal. It tells whether the row has become one that is told of.
//
// Only a mail's first attempt counts, and a recipient once: otherwise the same ten mails, tried
// again and again, were a new row after each one that was taken.
func (r *row) refused(now time.Time, j job, words string) (grown bool) {
	if j.attempts > 0 {
		return false
	}
	if r.to == nil {
		r.to, r.Since = map[store.Email]struct{}{}, now.UTC()
	}
	if len(r.to) < longestRow {
		r.to[j.message.To] = struct{}{}
	}
	before := r.Recipients
	r.Recipients, r.Last, r.Words = len(r.to), now.UTC(), words
	return before < longRow && r.Recipients >= longRow
}

// taken ends the row. It tells whether the row was one that is told of.
func (r *row) taken() (ended bool) {
	ended = r.Recipients >= longRow
	*r = row{}
	return ended
}

// Refusing gives the longest row of refusals that a replica is in, and whether it is long
// enough to be told of. Rows that began before any replica's last success do not count: that
// mail was taken amid them.
func (c ConnectorState) Refusing() (Refusals, bool) {
	var most Refusals
	for _, r := range c.Reports {
		if r.Refusals.Since.After(c.LastSuccess) && r.Refusals.Recipients > most.Recipients {
			most = r.Refusals
		}
	}
	return most, most.Recipients >= longRow
}
