package sqlstore

import (
	"context"
	"fmt"

	"idp/store"
)

// AddInbox puts a mail into the development mailbox and keeps the newest keep.
func (db *DB) AddInbox(ctx context.Context, item store.InboxItem, keep int) error {
	s := Script{Idempotent: true}
	s.Do(`INSERT INTO inbox (id, sealed, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING`, item.ID[:], item.Sealed, db.now())
	s.Do(`DELETE FROM inbox WHERE id NOT IN (SELECT id FROM inbox ORDER BY created_at DESC, id DESC LIMIT $1)`, keep)
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("add to the mailbox: %w", err)
	}
	return nil
}

// Inbox reads the development mailbox, newest first. (Ids do not tell: a notice's is
// derived from its challenge.)
func (db *DB) Inbox(ctx context.Context, limit int) ([]store.InboxItem, error) {
	var out []store.InboxItem
	err := db.engine.Read(ctx, `SELECT id, sealed, created_at FROM inbox ORDER BY created_at DESC, id DESC LIMIT $1`, []any{limit},
		func(scan func(...any) error) error {
			var it store.InboxItem
			if err := scan(idInto(&it.ID), &it.Sealed, into(&it.CreatedAt)); err != nil {
				return err
			}
			out = append(out, it)
			return nil
		})
	return out, err
}

// ClearInbox empties the development mailbox.
func (db *DB) ClearInbox(ctx context.Context) error {
	s := Script{Idempotent: true}
	s.Do(`DELETE FROM inbox`)
	return db.engine.Run(ctx, &s)
}
