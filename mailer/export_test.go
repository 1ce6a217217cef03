package mailer

import (
	"context"

	"idp/store"
)

// ComposeForTest is compose.
func (q *Queue) ComposeForTest(ctx context.Context, m store.Message, s Sender) (Rendered, error) {
	return q.compose(ctx, m, s)
}
