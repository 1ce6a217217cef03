package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"idp/store"
)

const (
	eventColumns = `event.id, event.at, event.kind, event.user_id, event.client_id, COALESCE(event.actor, ''), COALESCE(event.target, ''),
		COALESCE(event.request, ''), event.detail, event.personal, COALESCE(event.key_id, ''), COALESCE(event.batch, 0)`
	batchColumns = `no, first_id, last_id, size, root, hash, mac, leaves, created_at`
)

func eventInto(e *store.Event) []any {
	return []any{idInto(&e.ID), into(&e.At), &e.Kind, &e.User, &e.Client, &e.Actor, &e.Target, &e.Request, (*[]byte)(&e.Detail), &e.Personal, &e.KeyID, &e.Batch}
}

func batchInto(b *store.EventBatch) []any {
	return []any{&b.No, idInto(&b.First), idInto(&b.Last), &b.Size, hashInto(&b.Root), hashInto(&b.Hash), hashInto(&b.MAC), &b.Leaves, into(&b.CreatedAt)}
}

// LastBatch reads the end of the chain: the last batch or, if none is left, the anchor as
// one without events. Before anything was chained it is zero.
func (db *DB) LastBatch(ctx context.Context) (store.EventBatch, error) {
	var b store.EventBatch
	err := db.one(ctx, "read the last batch", `SELECT `+batchColumns+` FROM event_batch ORDER BY no DESC LIMIT 1`, nil, batchInto(&b)...)
	if store.CodeOf(err) != store.NotFound {
		return b, err
	}
	a, err := db.EventAnchor(ctx)
	return store.EventBatch{No: a.No, Hash: a.Hash}, err
}

// Unchained reads at most limit events that are in no batch yet, and whose id is not older than
// since; zero: all. An event is found whenever it was committed.
//
// The order is that of the index, so that of many that wait only those are read. Postgres keeps
// what was there before an update in the index until it vacuums, a fifth of the table at most:
// since keeps the way through that short.
func (db *DB) Unchained(ctx context.Context, since time.Time, limit int) ([]store.Unchained, error) {
	var out []store.Unchained
	from := store.ID{}
	if !since.IsZero() {
		from = firstID(since)
	}
	err := db.engine.Read(ctx, `
		SELECT `+eventColumns+`, CASE WHEN users.id IS NULL THEN 0 ELSE 1 END, user_key.sealed
		FROM (SELECT * FROM event WHERE batch IS NULL AND id >= $1 ORDER BY batch, id LIMIT `+strconv.Itoa(limit)+`) AS event
		LEFT JOIN users ON users.id = event.user_id LEFT JOIN user_key ON user_key.user_id = event.user_id
		ORDER BY event.id`,
		[]any{from[:]}, func(scan func(...any) error) error {
			var u store.Unchained
			var known int
			if err := scan(append(eventInto(&u.Event), &known, &u.Key)...); err != nil {
				return err
			}
			u.Known = known == 1
			out = append(out, u)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read what is not chained: %w", err)
	}
	return out, nil
}

// MakeUserKeys keeps keys of people who have none. The account's row is locked first, so
// that no key stays when the account goes at the same time.
func (db *DB) MakeUserKeys(ctx context.Context, keys []store.UserKey) error {
	s := Script{Idempotent: true}
	now := db.now()
	for _, k := range slices.SortedFunc(slices.Values(keys), func(a, b store.UserKey) int { return strings.Compare(a.User, b.User) }) {
		s.Do(`UPDATE users SET email = email WHERE id = $1`, k.User)
		s.Do(`INSERT INTO user_key (user_id, sealed, created_at) SELECT id, $2, $3 FROM users WHERE id = $1 ON CONFLICT (user_id) DO NOTHING`, k.User, k.Sealed, now)
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("make keys of people: %w", err)
	}
	return nil
}

// ChainEvents puts events into batch b, with what is personal of them as it is given, and
// queues what webhooks are told of them. It tells whether this was the one to make the
// batch: of two replicas that make the same one, one does, and the other one's writes
// nothing.
//
// Why an event is never in two batches: whoever makes batch n has read the end of the
// chain, n-1, before reading what is not chained. Had somebody chained one of these events
// since, batch n would be there, and its row is inserted first.
func (db *DB) ChainEvents(ctx context.Context, b store.EventBatch, events []store.Event, extra []store.HookDelivery) (made bool, err error) {
	by := attempt()
	s := Script{Idempotent: true}
	s.Do(`
		INSERT INTO event_batch (no, first_id, last_id, size, root, hash, mac, leaves, made_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (no) DO NOTHING`,
		b.No, b.First[:], b.Last[:], b.Size, b.Root[:], b.Hash[:], b.MAC[:], b.Leaves, by[:], b.CreatedAt.UnixMicro())
	for len(events) > 0 {
		n := min(len(events), chainWidth)
		if n < chainWidth {
			n = 1
		}
		s.Do(chainStatements[n], chainArgs(b.No, by, events[:n])...)
		events = events[n:]
	}
	for _, d := range extra {
		s.Do(`
			INSERT INTO hook_delivery (id, hook_id, event, payload, state, attempts, worker, due_at, created_at, settled_at, status, error)
			SELECT $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 WHERE `+mine+` ON CONFLICT (id) DO NOTHING`,
			b.No, by[:], d.ID[:], d.Hook, d.Event, d.Payload, int16(d.State), d.Attempts, d.Worker[:], d.DueAt.UnixMicro(), d.CreatedAt.UnixMicro(),
			optionalTime(d.SettledAt), d.Status, d.Error)
	}
	done := s.Do(`SELECT 1 WHERE `+mine, b.No, by[:]).Into(new(int))
	if err := db.engine.Run(ctx, &s); err != nil {
		return false, fmt.Errorf("chain events: %w", err)
	}
	return done.Rows == 1, nil
}

// mine tells whether batch $1 is that of attempt $2.
const mine = `EXISTS (SELECT 1 FROM event_batch WHERE no = $1 AND made_by = $2)`

// chainWidth is how many events are put into a batch by one statement. A statement costs more
// than a row of it; a wider one would compare more than it saves.
const chainWidth = 16

// chainStatements are those for one event and for chainWidth.
var chainStatements = map[int]string{1: chainStatement(1), chainWidth: chainStatement(chainWidth)}

// chainStatement puts n events into batch $1: each has its id, its personal and its key in
// the arguments from $3 on.
func chainStatement(n int) string {
	var ids, personal, keys []string
	for i := range n {
		id := "$" + strconv.Itoa(3+3*i)
		ids = append(ids, id)
		personal = append(personal, "WHEN "+id+" THEN $"+strconv.Itoa(4+3*i))
		keys = append(keys, "WHEN "+id+" THEN $"+strconv.Itoa(5+3*i))
	}
	return `UPDATE event SET batch = $1, personal = CASE id ` + strings.Join(personal, " ") + ` ELSE personal END,
		  key_id = CASE id ` + strings.Join(keys, " ") + ` ELSE key_id END
		WHERE id IN (` + strings.Join(ids, ", ") + `) AND batch IS NULL AND ` + mine
}

func chainArgs(batch int64, by store.Hash, events []store.Event) []any {
	args := []any{batch, by[:]}
	for _, e := range events {
		args = append(args, e.ID[:], e.Personal, optionalText(e.KeyID))
	}
	return args
}

// CutEvents removes the oldest batch, which the anchor takes the place of. It tells whether
// it was there as the anchor says.
func (db *DB) CutEvents(ctx context.Context, a store.EventAnchor) (bool, error) {
	const stands = `EXISTS (SELECT 1 FROM event_anchor WHERE no = $1 AND hash = $2)`
	s := Script{Idempotent: true}
	s.Do(`
		INSERT INTO event_anchor (id, no, hash, mac, cut_at)
		SELECT 1, no, hash, $3, $4 FROM event_batch WHERE no = $1 AND hash = $2 AND no = (SELECT MIN(no) FROM event_batch)
		ON CONFLICT (id) DO UPDATE SET no = excluded.no, hash = excluded.hash, mac = excluded.mac, cut_at = excluded.cut_at
		WHERE event_anchor.no < excluded.no`, a.No, a.Hash[:], a.MAC[:], a.CutAt.UnixMicro())
	s.Do(`DELETE FROM event WHERE batch = $1 AND `+stands, a.No, a.Hash[:])
	s.Do(`DELETE FROM event_batch WHERE no = $1 AND `+stands, a.No, a.Hash[:])
	done := s.Do(`SELECT 1 WHERE `+stands, a.No, a.Hash[:]).Into(new(int))
	if err := db.engine.Run(ctx, &s); err != nil {
		return false, fmt.Errorf("remove old events: %w", err)
	}
	return done.Rows == 1, nil
}

// EventAnchor reads where the chain begins; zero if it begins at its beginning.
func (db *DB) EventAnchor(ctx context.Context) (store.EventAnchor, error) {
	var a store.EventAnchor
	err := db.one(ctx, "read the anchor of the audit log", `SELECT no, hash, mac, cut_at FROM event_anchor WHERE id = 1`, nil,
		&a.No, hashInto(&a.Hash), hashInto(&a.MAC), into(&a.CutAt))
	if store.CodeOf(err) == store.NotFound {
		return a, nil
	}
	return a, err
}

// EventBatches reads at most limit links of the chain, from batch from on.
func (db *DB) EventBatches(ctx context.Context, from int64, limit int) ([]store.EventBatch, error) {
	var out []store.EventBatch
	err := db.engine.Read(ctx, `SELECT `+batchColumns+` FROM event_batch WHERE no >= $1 ORDER BY no LIMIT `+strconv.Itoa(limit), []any{from},
		func(scan func(...any) error) error {
			var b store.EventBatch
			err := scan(batchInto(&b)...)
			out = append(out, b)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read batches: %w", err)
	}
	return out, nil
}

// BatchBounds are the lowest and the highest batch that events say they are in; 1 and 0
// without any.
func (db *DB) BatchBounds(ctx context.Context) (lowest, highest int64, err error) {
	err = db.one(ctx, "read the bounds of the chain", `
		SELECT COALESCE((SELECT MIN(batch) FROM event WHERE batch IS NOT NULL), 1), COALESCE((SELECT MAX(batch) FROM event WHERE batch IS NOT NULL), 0)`, nil, &lowest, &highest)
	return lowest, highest, err
}

// UnchainedSince counts the events that are in no batch, up to most, and tells when the oldest
// of those was written; zero without any.
func (db *DB) UnchainedSince(ctx context.Context, most int) (n int, oldest time.Time, err error) {
	err = db.one(ctx, "count what is not chained", `SELECT COUNT(*), MIN(at) FROM (SELECT at FROM event WHERE batch IS NULL ORDER BY batch, id LIMIT `+strconv.Itoa(most)+`) AS waiting`, nil,
		&n, into(&oldest))
	return n, oldest, err
}

// ChainedEvents reads the events of batches from to to, by batch and id.
func (db *DB) ChainedEvents(ctx context.Context, from, to int64) ([]store.Event, error) {
	var out []store.Event
	err := db.engine.Read(ctx, `SELECT `+eventColumns+` FROM event WHERE batch >= $1 AND batch <= $2 ORDER BY batch, id`, []any{from, to},
		func(scan func(...any) error) error {
			var e store.Event
			err := scan(eventInto(&e)...)
			out = append(out, e)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read chained events: %w", err)
	}
	return out, nil
}

// optionalText gives NULL for "".
func optionalText(s string) any {
	if s == "" {
		return nil
	}
	return s
}
