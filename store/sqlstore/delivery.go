package sqlstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"idp/store"
)

const deliveryColumns = `id, challenge, usage, COALESCE(locale, ''), address, recipient, decoy, ` + mailState + `, attempts, sender, provider_id, error,
	COALESCE(feedback, ''), created_at, expires_at, settled_at, delayed_at, delivered_at, bounced_at, complained_at, rejected_at`

func scanDelivery(scan func(...any) error) (d store.Delivery, err error) {
	var decoy, state int
	err = scan(idInto(&d.ID), idInto(&d.Challenge), (*string)(&d.Usage), &d.Locale, hashInto(&d.Address), &d.Recipient, &decoy, &state, &d.Attempts,
		&d.Sender, &d.Provider, &d.Error, &d.Feedback, into(&d.CreatedAt), into(&d.ExpiresAt), into(&d.SettledAt),
		into(&d.DelayedAt), into(&d.DeliveredAt), into(&d.BouncedAt), into(&d.ComplainedAt), into(&d.RejectedAt))
	d.Decoy, d.State = decoy == 1, store.MailState(state)
	return d, err
}

// Deliveries lists mails, newest first: in the order of their ids, which begin with
// the time (a notice's with that of the sign-in it tells of). So no index is kept for
// the list alone, which every sign-in would pay for.
func (db *DB) Deliveries(ctx context.Context, f store.DeliveryFilter) ([]store.Delivery, error) {
	var w where
	if len(f.Addresses) > 0 {
		w.in("address", f.Addresses)
	}
	if f.State != 0 {
		w.and(mailState+` = `, int16(f.State))
		w.and(`decoy = `, 0)
	}
	if f.Withheld {
		w.and(`decoy = `, 1)
	}
	if f.Sender != "" {
		w.and(`sender = `, f.Sender)
	}
	if f.Usage != "" {
		w.and(`usage = `, string(f.Usage))
	}
	if !f.Since.IsZero() {
		w.and(`created_at >= `, f.Since.UnixMicro())
	}
	if !f.Until.IsZero() {
		w.and(`created_at < `, f.Until.UnixMicro())
	}
	from := `mail`
	if part := deliveryPart(f, &w); f.Newest > 0 {
		from = `(SELECT * FROM mail` + part.String() + ` ORDER BY id DESC LIMIT ` + strconv.Itoa(f.Newest) + `) AS mail`
	} else {
		w.parts = append(w.parts, part.parts...)
	}
	var out []store.Delivery
	err := db.engine.Read(ctx, `SELECT `+deliveryColumns+` FROM `+from+w.String()+` ORDER BY id DESC LIMIT `+w.arg(f.Limit), w.args,
		func(scan func(...any) error) error {
			d, err := scanDelivery(scan)
			out = append(out, d)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list mails: %w", err)
	}
	return out, nil
}

// deliveryPart is the part of the list that a filter is about, by ids. Its arguments go to w.
func deliveryPart(f store.DeliveryFilter, w *where) (part where) {
	bound := func(condition string, id store.ID) { part.parts = append(part.parts, condition+w.arg(id[:])) }
	if !f.Before.IsZero() {
		bound(`id < `, f.Before)
	}
	if !f.Since.IsZero() {
		bound(`id >= `, idAt(f.Since.Add(-idSlack)))
	}
	if !f.Until.IsZero() {
		bound(`id < `, idAt(f.Until.Add(idAhead)))
	}
	return part
}

// DeliveriesReach is the last mail that [DB.Deliveries] looks at for a filter with Newest;
// zero if it looks at all.
func (db *DB) DeliveriesReach(ctx context.Context, f store.DeliveryFilter) (store.ID, error) {
	var w where
	var id store.ID
	part := deliveryPart(f, &w)
	err := db.one(ctx, "look for the end of a list", `SELECT id FROM mail`+part.String()+` ORDER BY id DESC LIMIT 1 OFFSET `+strconv.Itoa(max(f.Newest, 1)-1), w.args, idInto(&id))
	if store.CodeOf(err) == store.NotFound {
		return store.ID{}, nil
	}
	return id, err
}

// Delivery reads what is known about one mail. The error is [store.NotFound].
func (db *DB) Delivery(ctx context.Context, id store.ID) (store.Delivery, error) {
	const op = "read mail"
	var found []store.Delivery
	err := db.engine.Read(ctx, `SELECT `+deliveryColumns+` FROM mail WHERE id = $1`, []any{id[:]},
		func(scan func(...any) error) error {
			d, err := scanDelivery(scan)
			found = append(found, d)
			return err
		})
	switch {
	case err != nil:
		return store.Delivery{}, fmt.Errorf("%s: %w", op, err)
	case len(found) == 0:
		return store.Delivery{}, &store.Error{Code: store.NotFound, Op: op}
	}
	return found[0], nil
}

// KeepDelivery writes down a mail that went past the queue and has ended: its times are
// now, but for that of its end. Nothing is written for an id that is there.
func (db *DB) KeepDelivery(ctx context.Context, d store.Delivery) error {
	now := db.now()
	s := Script{Idempotent: true}
	s.Do(`
		INSERT INTO mail (id, challenge, usage, decoy, state, attempts, worker, due_at, created_at, expires_at, settled_at,
		  sender, provider_id, error, address, recipient, locale)
		VALUES ($1, $1, $2, 0, $3, 1, $1, $4, $4, $4, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (id) DO NOTHING`,
		d.ID[:], string(d.Usage), int16(d.State), now, d.Sender, d.Provider, d.Error, d.Address[:], d.Recipient, d.Locale)
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("keep mail: %w", err)
	}
	return nil
}

// idSlack is how much older than its row a mail's id can be: a notice's begins with the
// time of the authorization request, which restarts after an hour, and its challenge
// lives for half of one.
const idSlack = 3 * time.Hour

// idAhead is how much newer it can be: the clocks of this machine and of the database differ.
const idAhead = 5 * time.Minute

// MailCounts counts the mails of the time since, per connector and state: the newest of
// them, most at most. Decoys are none.
func (db *DB) MailCounts(ctx context.Context, since time.Time, most int) ([]store.MailCount, error) {
	from := idAt(since.Add(-idSlack))
	var out []store.MailCount
	err := db.engine.Read(ctx, `
		SELECT sender, shown, COUNT(*) FROM (
		  SELECT sender, `+mailState+` AS shown FROM mail WHERE id >= $1 AND created_at >= $2 AND decoy = 0
		  ORDER BY id DESC LIMIT $3) AS recent
		GROUP BY sender, shown ORDER BY sender, shown`, []any{from[:], since.UnixMicro(), most},
		func(scan func(...any) error) error {
			var c store.MailCount
			var state int
			err := scan(&c.Sender, &state, &c.Count)
			c.State = store.MailState(state)
			out = append(out, c)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("count mails: %w", err)
	}
	return out, nil
}

// idAt is the first id of an instant.
func idAt(t time.Time) store.ID {
	id := store.NewID(t)
	clear(id[6:])
	return id
}

// where is the condition of a list, of the parts that are asked for.
type where struct {
	parts []string
	args  []any
}

func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return fmt.Sprintf("$%d", len(w.args))
}

func (w *where) and(condition string, v any) { w.parts = append(w.parts, condition+w.arg(v)) }

func (w *where) in(column string, hashes []store.Hash) {
	list := make([]string, len(hashes))
	for i := range hashes {
		list[i] = w.arg(hashes[i][:])
	}
	w.parts = append(w.parts, column+` IN (`+strings.Join(list, ", ")+`)`)
}

func (w *where) String() string {
	if len(w.parts) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(w.parts, " AND ")
}
