package mailer

import (
	"context"

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
