package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"idp/store"
)

const hookDeliveryColumns = `id, hook_id, event, payload, state, attempts, worker, due_at, created_at, settled_at, status, error`

func (db *DB) readHookDeliveries(ctx context.Context, op, from, condition string, args ...any) ([]store.HookDelivery, error) {
	var out []store.HookDelivery
	err := db.engine.Read(ctx, `SELECT `+hookDeliveryColumns+` FROM `+from+` `+condition, args, func(scan func(...any) error) error {
		var d store.HookDelivery
		err := scan(idInto(&d.ID), &d.Hook, &d.Event, &d.Payload, (*int16)(&d.State), &d.Attempts, idInto(&d.Worker), into(&d.DueAt), into(&d.CreatedAt),
			into(&d.SettledAt), &d.Status, &d.Error)
		out = append(out, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return out, nil
}

// DueHooks lists the enabled webhooks that have something to post now.
func (db *DB) DueHooks(ctx context.Context) ([]store.Hook, error) {
	return db.readHooks(ctx, "look for due deliveries", `
		WHERE enabled = 1 AND EXISTS (SELECT 1 FROM hook_delivery WHERE hook_delivery.hook_id = hook.id AND state = 1 AND due_at <= $1)
		ORDER BY id`, db.now())
}

// ClaimHookDeliveries leases up to limit due deliveries of a webhook, those that are due
// longest first. They carry the token of this claim as their Worker: a result counts only
// under it, so that who has lost a lease changes nothing.
//
// Two that claim at once never get the same one: the rows are locked where they are
// chosen, and what is locked is passed.
func (db *DB) ClaimHookDeliveries(ctx context.Context, hook string, lease time.Duration, limit int) ([]store.HookDelivery, error) {
	const op = "claim deliveries"
	now := db.now()
	token := store.NewID(time.Now())
	var s Script
	claimed := s.Do(`
		UPDATE hook_delivery SET worker = $1, due_at = $2, attempts = attempts + 1
		WHERE id IN (SELECT id FROM hook_delivery WHERE hook_id = $3 AND state = 1 AND due_at <= $4 ORDER BY due_at LIMIT $5`+db.engine.SkipLocked()+`)`,
		token[:], now+micro(lease), hook, now, limit)
	if err := db.engine.Run(ctx, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if claimed.Rows == 0 {
		return nil, nil
	}
	return db.readHookDeliveries(ctx, op, `hook_delivery`, `WHERE hook_id = $1 AND state = 1 AND worker = $2 AND due_at = $3 ORDER BY id`, hook, token[:], now+micro(lease))
}

// SettleHookDeliveries records how claimed deliveries of one claim ended, in one commit. What is
// settled loses its payload. worker is the token of the claim.
func (db *DB) SettleHookDeliveries(ctx context.Context, worker store.ID, results []store.HookResult) error {
	if len(results) == 0 {
		return nil
	}
	now := db.now()
	s := Script{Idempotent: true}
	for _, r := range slices.SortedFunc(slices.Values(results), func(a, b store.HookResult) int { return cmp.Compare(string(a.ID[:]), string(b.ID[:])) }) {
		if r.State == store.HookWaiting {
			// The token goes with it: run twice, the attempt is taken back once.
			s.Do(`
				UPDATE hook_delivery SET due_at = $3, worker = id, status = $4, error = $5, attempts = attempts - CAST($6 AS SMALLINT)
				WHERE id = $1 AND state = 1 AND worker = $2`, r.ID[:], worker[:], now+micro(r.Retry), r.Status, r.Error, flag(r.Untried))
			continue
		}
		s.Do(`
			UPDATE hook_delivery SET state = $3, settled_at = $4, payload = NULL, status = $5, error = $6
			WHERE id = $1 AND state = 1 AND worker = $2`, r.ID[:], worker[:], int16(r.State), now, r.Status, r.Error)
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("settle deliveries: %w", err)
	}
	return nil
}

// HookBacklog counts the deliveries of a webhook that wait, up to most.
func (db *DB) HookBacklog(ctx context.Context, hook string, most int) (n int, err error) {
	err = db.one(ctx, "count waiting deliveries", `SELECT COUNT(*) FROM (SELECT 1 FROM hook_delivery WHERE hook_id = $1 AND state = 1 LIMIT $2) AS waiting`,
		[]any{hook, most}, &n)
	return n, err
}

// newestFirst is the order along the index of a webhook's deliveries.
const newestFirst = ` ORDER BY hook_id DESC, id DESC`

// hookTime are the deliveries of a webhook that were queued in a time, both ends included;
// zero: from the first, to the last. Ids begin with the time. (The two columns are compared
// as one: a plan for any webhook, which Postgres takes for prepared statements, would go
// through those of all webhooks in the order of the ids, and pass over the others'.)
func hookTime(hook string, from, to time.Time) (w where) {
	var first, end store.ID
	if !from.IsZero() {
		first = firstID(from)
	}
	for i := range end {
		end[i] = 0xff
	}
	if !to.IsZero() {
		end = firstID(to.Add(time.Millisecond))
	}
	h := w.arg(hook)
	w.parts = append(w.parts, `(hook_id, id) >= (`+h+`, `+w.arg(first[:])+`)`, `(hook_id, id) < (`+h+`, `+w.arg(end[:])+`)`)
	return w
}

// hookLog is where the log is read: the deliveries of a time, or the newest of them, less
// what is not asked for.
func hookLog(f store.HookLogFilter) (from string, w where) {
	from, w = `hook_delivery`, hookTime(f.Hook, f.From, f.To)
	if f.Newest > 0 {
		from = `(SELECT ` + hookDeliveryColumns + ` FROM hook_delivery` + w.String() + newestFirst + ` LIMIT ` + strconv.Itoa(f.Newest) + `) AS newest`
		w.parts = nil
	}
	if f.Event != "" {
		w.and(`event = `, f.Event)
	}
	if f.State != 0 {
		w.and(`state = `, int16(f.State))
	}
	w.parts = append(w.parts, `(state <> 1 OR attempts > 0)`)
	return from + w.String(), w
}

// firstID is the lowest id of a millisecond.
func firstID(t time.Time) (id store.ID) {
	whole := store.NewID(t)
	copy(id[:6], whole[:6])
	return id
}

// HookLog lists deliveries, the newest first, and counts them up to most.
func (db *DB) HookLog(ctx context.Context, f store.HookLogFilter, offset, limit, most int) ([]store.HookDelivery, int, error) {
	const op = "list deliveries"
	from, w := hookLog(f)
	args := w.args[:len(w.args):len(w.args)]
	total := 0
	err := db.one(ctx, op, `SELECT COUNT(*) FROM (SELECT 1 FROM `+from+` LIMIT `+strconv.Itoa(most)+`) AS found`, w.args, &total)
	if err != nil || offset >= total {
		return nil, total, err
	}
	w.args = args
	out, err := db.readHookDeliveries(ctx, op, from, newestFirst+` LIMIT `+w.arg(limit)+` OFFSET `+w.arg(offset), w.args...)
	return out, total, err
}

// HookDelivery reads a delivery of a webhook. The error is [store.NotFound].
func (db *DB) HookDelivery(ctx context.Context, hook string, id store.ID) (store.HookDelivery, error) {
	const op = "read delivery"
	found, err := db.readHookDeliveries(ctx, op, `hook_delivery`, `WHERE id = $1 AND hook_id = $2`, id[:], hook)
	switch {
	case err != nil:
		return store.HookDelivery{}, err
	case len(found) == 0:
		return store.HookDelivery{}, &store.Error{Code: store.NotFound, Op: op}
	}
	return found[0], nil
}

// HookCounts tells how the deliveries of a webhook ended that were queued since a time; of
// many it looks at the newest most.
func (db *DB) HookCounts(ctx context.Context, hook string, since time.Time, most int) (c store.HookCounts, err error) {
	w := hookTime(hook, since, time.Time{})
	err = db.one(ctx, "count deliveries", `
		SELECT CAST(COALESCE(SUM(attempts), 0) AS BIGINT), CAST(COALESCE(SUM(CASE WHEN state = 2 THEN 1 ELSE 0 END), 0) AS BIGINT),
			CAST(COALESCE(SUM(CASE WHEN state = 3 THEN 1 ELSE 0 END), 0) AS BIGINT)
		FROM (SELECT attempts, state FROM hook_delivery`+w.String()+newestFirst+` LIMIT `+strconv.Itoa(most)+`) AS recent`,
		w.args, &c.Requests, &c.Successes, &c.GivenUp)
	return c, err
}
