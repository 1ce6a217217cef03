package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"idp/store"
)

// TriedChallenges reads what became of these challenges, some dozen at most. Those that are
// gone are left out.
func (db *DB) TriedChallenges(ctx context.Context, ids []store.ID) ([]store.Tried, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	which, args := idList(ids)
	var out []store.Tried
	err := db.engine.Read(ctx, `
		SELECT id, purpose, tries, max_tries, sends, max_sends, created_at, expires_at, consumed_at FROM challenge WHERE id IN (`+which+`)`, args,
		func(scan func(...any) error) error {
			var t store.Tried
			var purpose int
			err := scan(idInto(&t.ID), &purpose, &t.Tries, &t.MaxTries, &t.Sends, &t.MaxSends, into(&t.CreatedAt), into(&t.ExpiresAt), into(&t.ConsumedAt))
			t.Purpose = store.Purpose(purpose) //nolint:gosec // as it was written
			out = append(out, t)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read challenges: %w", err)
	}
	return out, nil
}

// EventsByID reads these events, some dozen at most. Those that are not there are left out.
func (db *DB) EventsByID(ctx context.Context, ids []store.ID) ([]store.KeyedEvent, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	which, args := idList(ids)
	return db.readEvents(ctx, keyed+` WHERE event.id IN (`+which+`)`, args)
}

// MutedUntil tells until when mails to an address, by its keyed hashes, go to known browsers
// only; zero if it is not muted.
func (db *DB) MutedUntil(ctx context.Context, address, former store.Hash) (until time.Time, err error) {
	err = db.one(ctx, "read mute", `SELECT ends_at FROM mute WHERE address IN ($1, $2) AND ends_at > $3 ORDER BY ends_at DESC LIMIT 1`,
		[]any{address[:], former[:], db.now()}, into(&until))
	if store.CodeOf(err) == store.NotFound {
		err = nil
	}
	return until, err
}

// LimitWaits tells of each limit how long it refuses strangers from now on; 0: it has room.
func (db *DB) LimitWaits(ctx context.Context, limits []store.Limit) ([]time.Duration, error) {
	now := db.now()
	waits := make([]time.Duration, len(limits))
	for i, l := range limits {
		var err error
		if _, waits[i], err = db.limited(ctx, now, pools{}, l); err != nil {
			return nil, fmt.Errorf("read limits: %w", err)
		}
	}
	return waits, nil
}

func idList(ids []store.ID) (which string, args []any) {
	var w where
	list := make([]string, len(ids))
	for i := range ids {
		list[i] = w.arg(ids[i][:])
	}
	return strings.Join(list, ", "), w.args
}
