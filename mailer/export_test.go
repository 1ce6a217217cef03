package mailer

import (
	"context"
	"time"

	"idp/store"
)

// ComposeForTest is compose.
func (q *Queue) ComposeForTest(ctx context.Context, m store.Message, s Sender) (Rendered, error) {
	return q.compose(ctx, m, s)
}

// Recursor reads a place in the list of suppressed addresses, and writes it down again.
func Recursor(text string) (string, bool) {
	at, hash, err := readCursor(text)
	if err != nil {
		return "", false
	}
	return cursor(at, hash), true
}

// FailForTest has so many mails fail that had a unit each, in a moment in which units are used. Those
// that may have left end at end.
func (q *Queue) FailForTest(mails int, unsure bool, end time.Time) {
	q.ceiling.mu.Lock()
	q.ceiling.used = time.Now()
	q.ceiling.mu.Unlock()
	for range mails {
		q.ceiling.after(job{id: store.NewID(q.now()), paid: true, expires: end}, result{err: errNotTried, doubt: unsure})
	}
}

// ClaimForTest runs the part of the queue alone that takes mails over and gives them back.
func (q *Queue) ClaimForTest(ctx context.Context) { q.claim(ctx, ctx) }

// RestForTest is how many units go back, how many stay, and how many mails keep theirs.
func (q *Queue) RestForTest() (back, stay, kept int) {
	back = q.ceiling.rest(false)
	return back, q.ceiling.units, len(q.ceiling.inHand)
}
