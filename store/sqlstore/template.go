package sqlstore

import (
	"context"
	"crypto/rand"
	"fmt"

	"idp/store"
)

// MailTemplates reads the operator's mail templates, by usage and language. It may be
// as old as the cache.
func (db *DB) MailTemplates(ctx context.Context) ([]store.MailTemplate, error) {
	return cached(&db.cache, "mail templates", func() ([]store.MailTemplate, error) {
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
	})
}

// SetMailTemplate adds a template, or replaces the one for its usage and language,
// which keeps its id. It answers what is stored.
func (db *DB) SetMailTemplate(ctx context.Context, t store.MailTemplate) (store.MailTemplate, error) {
	var s Script
	s.Do(`
		INSERT INTO mail_template (id, usage, locale, subject, content, content_type, reply_to, send_from, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
		ON CONFLICT (usage, locale) DO UPDATE SET subject = excluded.subject, content = excluded.content,
		  content_type = excluded.content_type, reply_to = excluded.reply_to, send_from = excluded.send_from,
		  updated_at = excluded.updated_at
		RETURNING id, created_at, updated_at`,
		newTemplateID(), string(t.Usage), t.Locale, t.Subject, t.Content, t.ContentType, t.ReplyTo, t.SendFrom, db.now()).
		Into(&t.ID, into(&t.CreatedAt), into(&t.UpdatedAt))
	return t, db.administer(ctx, "set mail template", &s)
}

// DeleteMailTemplate removes a template. The error is [store.NotFound].
func (db *DB) DeleteMailTemplate(ctx context.Context, usage store.Usage, locale string) error {
	var s Script
	done := s.Do(`DELETE FROM mail_template WHERE usage = $1 AND locale = $2`, string(usage), locale)
	if err := db.administer(ctx, "delete mail template", &s); err != nil {
		return err
	}
	return needRow(done, "delete mail template")
}

// newTemplateID gives 21 characters of [0-9A-Za-z], as Logto's ids have.
func newTemplateID() string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	id := make([]byte, 0, 21)
	for len(id) < cap(id) {
		var b [1]byte
		rand.Read(b[:])
		if i := int(b[0]); i < 4*len(letters) { // the rest would favour the first letters
			id = append(id, letters[i%len(letters)])
		}
	}
	return string(id)
}
