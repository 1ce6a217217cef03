package sqlstore

import (
	"context"

	"idp/store"
)

// Trace makes what an entry of the audit log says of where it came from: sealed, and bound
// to the entry's id. email is the address that it is about, "" for none.
type Trace func(ctx context.Context, id store.ID, email store.Email) (personal []byte, request string)

// trace is the origin of an entry, as it is stored.
type trace struct {
	id       store.ID
	personal []byte
	request  string
	actor    string // "" for the person that it is about
}

// traced is the origin of the entry that an operation writes.
func (db *DB) traced(ctx context.Context, id store.ID, email store.Email) trace {
	t := trace{id: id, actor: store.OriginOf(ctx).Actor}
	if db.Trace != nil {
		t.personal, t.request = db.Trace(ctx, id, email)
	}
	return t
}

// anew is the origin of an entry with an id of its own.
func (db *DB) anew(ctx context.Context, now int64, email store.Email) trace {
	return db.traced(ctx, store.NewID(clock(now)), email)
}
