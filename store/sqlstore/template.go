package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"idp/store"
)

// MailTemplates reads the operator's mail templates, by usage and language. It may be
// as old as the cache.
func (db *DB) MailTemplates(ctx context.Context) ([]store.MailTemplate, error) {
	return cached(&db.cache, "mail templates", func() ([]store.MailTemplate, error) { return db.FreshMailTemplates(ctx) })
}

// FreshMailTemplates is [DB.MailTemplates] past the cache: what is about to be changed.
func (db *DB) FreshMailTemplates(ctx context.Context) ([]store.MailTemplate, error) {
	var out []store.MailTemplate
	err := db.engine.Read(ctx, `
		SELECT id, usage, locale, subject, content, content_type, reply_to, send_from, created_at, updated_at
		FROM mail_template ORDER BY usage, locale`, nil,
		func(scan func(...any) error) error {
			var t store.MailTemplate
			if err := scan(&t.ID, (*string)(&t.Usage), &t.Locale, &t.Subject, &t.Content, &t.ContentType, &t.ReplyTo, &t.SendFrom,
				into(&t.CreatedAt), into(&t.UpdatedAt)); err != nil {
				return err
			}
			out = append(out, t)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read mail templates: %w", err)
	}
	return out, nil
}

// SetMailTemplates adds templates, or replaces those for their usage and language, which
// keep their ids: all or none. It answers what is stored.
func (db *DB) SetMailTemplates(ctx context.Context, templates []store.MailTemplate, told ...store.Event) ([]store.MailTemplate, error) {
	var s Script
	out := slices.Clone(templates)
	for i := range out {
		t := &out[i]
		s.Do(`
			INSERT INTO mail_template (id, usage, locale, subject, content, content_type, reply_to, send_from, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
			ON CONFLICT (usage, locale) DO UPDATE SET subject = excluded.subject, content = excluded.content,
			  content_type = excluded.content_type, reply_to = excluded.reply_to, send_from = excluded.send_from,
			  updated_at = CASE WHEN mail_template.updated_at < excluded.updated_at THEN excluded.updated_at ELSE mail_template.updated_at + 1 END
			RETURNING id, created_at, updated_at`,
			store.RandomText(templateID), string(t.Usage), t.Locale, t.Subject, t.Content, t.ContentType, t.ReplyTo, t.SendFrom, db.now()).
			Into(&t.ID, into(&t.CreatedAt), into(&t.UpdatedAt))
	}
	return out, db.administer(ctx, "set mail templates", &s, told...)
}

// AddMailTemplate adds a template for a usage and language that has none. It answers what
// is stored. The error is [store.Changed] if there is one by now.
func (db *DB) AddMailTemplate(ctx context.Context, t store.MailTemplate, told ...store.Event) (store.MailTemplate, error) {
	const op = "add mail template"
	var s Script
	s.Do(`
		INSERT INTO mail_template (id, usage, locale, subject, content, content_type, reply_to, send_from, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
		ON CONFLICT (usage, locale) DO NOTHING
		RETURNING id, created_at, updated_at`,
		store.RandomText(templateID), string(t.Usage), t.Locale, t.Subject, t.Content, t.ContentType, t.ReplyTo, t.SendFrom, db.now()).
		Into(&t.ID, into(&t.CreatedAt), into(&t.UpdatedAt)).Need(op, store.Changed)
	return t, db.administer(ctx, op, &s, told...)
}

// templateID is how long ids are, as Logto's.
const templateID = 21

// UpdateMailTemplate replaces what a template says, if it is still the one that was read:
// seen is its UpdatedAt then. It answers the new UpdatedAt. Errors: [store.NotFound],
// [store.Changed].
func (db *DB) UpdateMailTemplate(ctx context.Context, t store.MailTemplate, seen time.Time, told ...store.Event) (time.Time, error) {
	const op = "update mail template"
	var s Script
	var updated time.Time
	s.Do(`
		UPDATE mail_template SET subject = $3, content = $4, content_type = $5, reply_to = $6, send_from = $7, updated_at = `+later("$8")+`
		WHERE id = $1 AND updated_at = $2 RETURNING updated_at`,
		t.ID, seen.UnixMicro(), t.Subject, t.Content, t.ContentType, t.ReplyTo, t.SendFrom, db.now()).Into(into(&updated)).Need(op, store.Changed)
	err := db.administer(ctx, op, &s, told...)
	return updated, db.changedOrGone(ctx, err, `SELECT 1 FROM mail_template WHERE id = $1`, t.ID)
}

// DeleteMailTemplates removes templates, all or none. Errors: [store.NotFound] if one of
// them is not there; [store.Changed] if one is not as it was: its UpdatedAt is looked at,
// zero being any.
func (db *DB) DeleteMailTemplates(ctx context.Context, templates []store.MailTemplate, told ...store.Event) error {
	const op = "delete mail templates"
	var s Script
	for _, t := range templates {
		s.Do(`DELETE FROM mail_template WHERE id = $1 AND CAST($2 AS BIGINT) IN (0, updated_at)`, t.ID, stamp(t.UpdatedAt)).Need(op, store.Changed)
	}
	err := db.administer(ctx, op, &s, told...)
	for _, t := range templates {
		err = db.changedOrGone(ctx, err, `SELECT 1 FROM mail_template WHERE id = $1`, t.ID)
	}
	return err
}
