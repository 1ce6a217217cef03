package sqlstore

import (
	"context"
	"fmt"
	"time"

	"idp/store"
)

// whose is the mail that a notification is about. $1 is the provider's id, $2 the
// connector. (That an id is not empty is what the index asks for.)
const whose = `provider_id = $1 AND provider_id <> '' AND sender = $2 AND decoy = 0`

// taken holds if this attempt took the notification.
const taken = `EXISTS (SELECT 1 FROM notification WHERE key = $3 AND taken_by = $4)`

// markMail notes on a mail when a kind of feedback came, the first time of it, and the
// provider's words. Kinds come in any order.
func markMail(column, words string) string {
	return `UPDATE mail SET ` + column + ` = COALESCE(` + column + `, $5), feedback = ` + words + ` WHERE ` + whose + ` AND ` + taken
}

// unlessTrouble keeps the words on a trouble.
const unlessTrouble = `CASE WHEN bounced_at IS NULL AND complained_at IS NULL AND rejected_at IS NULL THEN $6 ELSE feedback END`

var marks = map[store.FeedbackKind]string{
	store.FeedbackDelay:     markMail("delayed_at", unlessTrouble),
	store.FeedbackDelivery:  markMail("delivered_at", unlessTrouble),
	store.FeedbackBounce:    markMail("bounced_at", "$6"),
	store.FeedbackComplaint: markMail("complained_at", "$6"),
	store.FeedbackReject:    markMail("rejected_at", "$6"),
}

// RecordFeedback notes what a provider tells of a mail, and puts its address on the
// suppression list after a permanent bounce or a complaint: the address of the mail,
// not one that the notification names. Errors: [store.NotFound] if no mail is meant,
// which remembers nothing; [store.Used] if the notification was taken before.
//
// One transaction: the notification is taken by the one attempt that inserts it, and
// all else hangs on that, so of parallel replays one has a consequence.
func (db *DB) RecordFeedback(ctx context.Context, f store.Feedback) error {
	const op = "record feedback"
	now := db.now()
	by := attempt()
	at := min(f.At.UnixMicro(), now)
	s := Script{Idempotent: true}
	s.Do(`
		INSERT INTO notification (key, expires_at, taken_by)
		SELECT $3, $5, $4 WHERE EXISTS (SELECT 1 FROM mail WHERE `+whose+`)
		ON CONFLICT (key) DO NOTHING`, f.Provider, f.Sender, f.Notification[:], by[:], f.Until.UnixMicro())
	s.Do(marks[f.Kind], f.Provider, f.Sender, f.Notification[:], by[:], at, f.Detail)
	if f.Kind == store.FeedbackComplaint || f.Kind == store.FeedbackBounce && f.Permanent {
		var mail store.ID // to name it in the audit log
		if err := db.one(ctx, op, `SELECT id FROM mail WHERE `+whose, []any{f.Provider, f.Sender}, idInto(&mail)); err != nil && store.CodeOf(err) != store.NotFound {
			return err
		}
		reason := store.ReasonBounce
		if f.Kind == store.FeedbackComplaint {
			reason = store.ReasonComplaint
		}
		s.Do(`
			INSERT INTO suppression (address, recipient, reason, detail, sender, mail, created_at)
			SELECT address, recipient, $5, $6, sender, id, $7 FROM mail
			WHERE address IS NOT NULL AND recipient IS NOT NULL AND `+whose+` AND `+taken+`
			ON CONFLICT (address) DO NOTHING`, f.Provider, f.Sender, f.Notification[:], by[:], string(reason), f.Detail, now)
		tellSuppressed(&s, now, mail)
	}
	var mine int
	known := s.Do(`SELECT CASE WHEN taken_by = $2 THEN 1 ELSE 0 END FROM notification WHERE key = $1`, f.Notification[:], by[:]).Into(&mine)
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	switch {
	case known.Rows == 0:
		return &store.Error{Code: store.NotFound, Op: op}
	case mine == 0:
		return &store.Error{Code: store.Used, Op: op}
	}
	return nil
}

// TakeNotification marks a notification that is about no mail as taken. The error is
// [store.Used] if it was before.
func (db *DB) TakeNotification(ctx context.Context, key store.Hash, until time.Time) error {
	const op = "take notification"
	by := attempt()
	s := Script{Idempotent: true}
	s.Do(`INSERT INTO notification (key, expires_at, taken_by) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING`, key[:], until.UnixMicro(), by[:])
	mine := s.Do(`SELECT 1 FROM notification WHERE key = $1 AND taken_by = $2`, key[:], by[:]).Into(new(int))
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if mine.Rows == 0 {
		return &store.Error{Code: store.Used, Op: op}
	}
	return nil
}

// NotificationTaken tells whether a notification was taken.
func (db *DB) NotificationTaken(ctx context.Context, key store.Hash) (bool, error) {
	taken := false
	err := db.engine.Read(ctx, `SELECT 1 FROM notification WHERE key = $1`, []any{key[:]},
		func(scan func(...any) error) error { taken = true; return scan(new(int)) })
	if err != nil {
		return false, fmt.Errorf("look for a notification: %w", err)
	}
	return taken, nil
}
