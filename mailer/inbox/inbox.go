// Package inbox is the sender of `idp dev`: mails land in the database, sealed,
// and are read in the browser at /dev/inbox instead of reaching anybody.
package inbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"idp/keyring"
	"idp/mailer"
	"idp/store"
)

// ID is the connector's id.
const ID = "inbox"

// keep is how many mails the mailbox holds: an afternoon of development, and
// still one cheap query.
const keep = 500

// Store is what the mailbox asks of the store.
type Store interface {
	AddInbox(ctx context.Context, item store.InboxItem, keep int) error
	Inbox(ctx context.Context, limit int) ([]store.InboxItem, error)
	ClearInbox(ctx context.Context) error
}

// Inbox is the development mailbox. It is a [mailer.Sender].
type Inbox struct {
	store  Store
	sealer *keyring.Sealer
}

// Item is one mail, as /dev/inbox.json shows it.
type Item struct {
	ID        string      `json:"id"`
	To        string      `json:"to"`
	From      string      `json:"from"`
	Subject   string      `json:"subject"`
	Text      string      `json:"text"`
	HTML      string      `json:"html"`
	UsageType store.Usage `json:"usageType"`
	Code      string      `json:"code"`
	CreatedAt time.Time   `json:"createdAt"`
}

// New makes the mailbox.
func New(s Store, ring *keyring.Ring) *Inbox {
	return &Inbox{store: s, sealer: ring.Sealer("inbox")}
}

// Factory is the mailbox's [mailer.Factory]: its configuration is {}.
func (in *Inbox) Factory(config []byte) (mailer.Sender, error) {
	var fields map[string]any
	if len(bytes.TrimSpace(config)) > 0 {
		if err := json.Unmarshal(config, &fields); err != nil {
			return nil, fmt.Errorf("not a JSON object: %w", err)
		}
	}
	if len(fields) > 0 {
		return nil, errors.New("the inbox takes no settings: its configuration is {}")
	}
	return in, nil
}

// Send puts a mail into the mailbox. It keeps the mail's own id, so that a
// second attempt is no second mail.
func (in *Inbox) Send(ctx context.Context, m mailer.Rendered) (mailer.Receipt, error) {
	id, err := store.ParseID(m.ID)
	if err != nil {
		id = store.NewID(time.Now()) // a test mail, which never was in the queue
	}
	plain, err := json.Marshal(Item{
		ID: id.String(), To: m.To, From: m.From + " <no-reply@localhost>", Subject: m.Subject,
		Text: m.Text, HTML: m.HTML, UsageType: m.Usage, Code: m.Code,
	})
	if err != nil {
		return mailer.Receipt{}, fmt.Errorf("put mail into the inbox: %w", err)
	}
	err = in.store.AddInbox(ctx, store.InboxItem{ID: id, Sealed: in.sealer.Seal(plain, id[:])}, keep)
	if err != nil {
		return mailer.Receipt{}, &mailer.SendError{Class: mailer.Temporary, Err: err}
	}
	return mailer.Receipt{Provider: id.String()}, nil
}

// List gives the newest limit mails to an address, the newest first; every
// address if to is "", all that are kept if limit is 0. Rows sealed under a
// secret that is gone are passed over: they are of no use to anybody.
func (in *Inbox) List(ctx context.Context, to string, limit int) ([]Item, error) {
	rows, err := in.store.Inbox(ctx, keep)
	if err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	items := []Item{} // [] in JSON, not null
	for _, row := range rows {
		if limit > 0 && len(items) == limit {
			break
		}
		plain, err := in.sealer.Open(row.Sealed, row.ID[:])
		if err != nil {
			continue
		}
		var item Item
		if err := json.Unmarshal(plain, &item); err != nil {
			return nil, fmt.Errorf("read inbox mail %s: %w", row.ID, err)
		}
		item.CreatedAt = row.CreatedAt
		if to == "" || strings.EqualFold(item.To, to) {
			items = append(items, item)
		}
	}
	return items, nil
}

// Clear empties the mailbox.
func (in *Inbox) Clear(ctx context.Context) error { return in.store.ClearInbox(ctx) }
