package main

import (
	"context"

	"idp/mailer/inbox"
	"idp/web/devinbox"
)

// mails shows the mails of the inbox connector to the mailbox page, which knows
// no mailer.
type mails struct{ *inbox.Inbox }

// List implements [devinbox.Inbox].
func (m mails) List(ctx context.Context, to string, limit int) ([]devinbox.Item, error) {
	items, err := m.Inbox.List(ctx, to, limit)
	shown := make([]devinbox.Item, len(items))
	for i, it := range items {
		shown[i] = devinbox.Item(it)
	}
	return shown, err
}
