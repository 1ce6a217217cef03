package sqlstore

import (
	"context"
	"fmt"

	"idp/store"
)

// Suppressions lists addresses that take no mail, the newest first.
func (db *DB) Suppressions(ctx context.Context, f store.SuppressionFilter) ([]store.Suppression, error) {
	var w where
	if len(f.Addresses) > 0 {
		w.in("address", f.Addresses)
	}
	if at := f.Before.CreatedAt; !at.IsZero() {
		same := w.arg(at.UnixMicro())
		w.parts = append(w.parts, `(created_at < `+same+` OR created_at = `+same+` AND address < `+w.arg(f.Before.Address[:])+`)`)
	}
	var out []store.Suppression
	err := db.engine.Read(ctx, `SELECT address, recipient, reason, detail, sender, mail, created_at FROM suppression`+w.String()+`
		ORDER BY created_at DESC, address DESC LIMIT `+w.arg(f.Limit), w.args,
		func(scan func(...any) error) error {
			var s store.Suppression
			err := scan(hashInto(&s.Address), &s.Recipient, (*string)(&s.Reason), &s.Detail, &s.Sender, idInto(&s.Mail), into(&s.CreatedAt))
			out = append(out, s)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list suppressed addresses: %w", err)
	}
	return out, nil
}

// Suppress puts an address on the list by hand. before is its hash under the secret
// before a rotation, or zero. The error is [store.Conflict] if the address is on the
// list, which stays as it is.
func (db *DB) Suppress(ctx context.Context, a store.Suppression, before store.Hash) error {
	const op = "suppress address"
	now := db.now()
	t := db.anew(ctx, now, "")
	s := Script{Idempotent: true}
	s.Do(`
		INSERT INTO event (id, at, kind, user_id, client_id, target, actor, request, personal)
		SELECT $1, $2, 'suppression.added', '', '', $5, $6, $7, $8 WHERE NOT EXISTS (SELECT 1 FROM suppression WHERE address IN ($3, $4))
		ON CONFLICT (id) DO NOTHING`, t.id[:], now, a.Address[:], before[:], store.SuppressionTarget(a.Address), t.actor, t.request, t.personal)
	s.Do(`
		INSERT INTO suppression (address, recipient, reason, detail, sender, created_at)
		SELECT $1, $2, $3, $4, $5, $6 FROM event WHERE id = $7
		ON CONFLICT (address) DO NOTHING`, a.Address[:], a.Recipient, string(a.Reason), a.Detail, a.Sender, now, t.id[:])
	done := s.Do(`SELECT 1 FROM event WHERE id = $1`, t.id[:]).Into(new(int))
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if done.Rows == 0 {
		return &store.Error{Code: store.Conflict, Op: op}
	}
	return nil
}

// Lift takes an address off the list, under each of its hashes, the one of now first: mail
// is sent to it again. The error is [store.NotFound] if it is not there.
func (db *DB) Lift(ctx context.Context, addresses []store.Hash) error {
	const op = "lift suppression"
	now := db.now()
	t := db.anew(ctx, now, "")
	var w where
	w.in("address", addresses)
	s := Script{Idempotent: true}
	args := w.args[:len(w.args):len(w.args)]
	// What was lifted is told by the event: run twice, the script finds no row to delete.
	s.Do(`
		INSERT INTO event (id, at, kind, user_id, client_id, target, actor, request, personal)
		SELECT `+w.arg(t.id[:])+`, `+w.arg(now)+`, 'suppression.lifted', '', '', `+w.arg(store.SuppressionTarget(addresses[0]))+`, `+w.arg(t.actor)+`, `+
		w.arg(t.request)+`, `+w.arg(t.personal)+` WHERE EXISTS (SELECT 1 FROM suppression`+w.String()+`)
		ON CONFLICT (id) DO NOTHING`, w.args...)
	s.Do(`DELETE FROM suppression`+w.String(), args...)
	done := s.Do(`SELECT 1 FROM event WHERE id = $1`, t.id[:]).Into(new(int))
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return needRow(done, op)
}

// tellSuppressed tells in the audit log that this script, at now, put the address of a mail
// on the list; of one that was there before, nothing.
func tellSuppressed(s *Script, now int64, mail store.ID) {
	id := store.NewID(clock(now))
	s.Do(`
		INSERT INTO event (id, at, kind, user_id, client_id, target)
		SELECT $1, $2, 'suppression.added', '', '', $4 FROM mail JOIN suppression ON suppression.address = mail.address
		WHERE mail.id = $3 AND suppression.mail = $3 AND suppression.created_at = $2
		ON CONFLICT (id) DO NOTHING`, id[:], now, mail[:], store.MailTarget(mail))
}
