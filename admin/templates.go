package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"idp/audit"
	"idp/mailer"
	"idp/store"
)

type templateStore interface {
	MailTemplates(ctx context.Context) ([]store.MailTemplate, error)
	FreshMailTemplates(ctx context.Context) ([]store.MailTemplate, error)
	SetMailTemplates(ctx context.Context, templates []store.MailTemplate, told ...store.Event) ([]store.MailTemplate, error)
	AddMailTemplate(ctx context.Context, t store.MailTemplate, told ...store.Event) (store.MailTemplate, error)
	UpdateMailTemplate(ctx context.Context, t store.MailTemplate, seen time.Time, told ...store.Event) (time.Time, error)
	DeleteMailTemplates(ctx context.Context, templates []store.MailTemplate, told ...store.Event) error
}

// MailTemplates lists the mails that the operator words, as they are now: those for a usage and
// a language, "" for any.
func (s *Service) MailTemplates(ctx context.Context, usage store.Usage, locale string) ([]store.MailTemplate, error) {
	all, err := s.store.FreshMailTemplates(ctx)
	return slices.DeleteFunc(all, func(t store.MailTemplate) bool {
		return usage != "" && t.Usage != usage || locale != "" && !strings.EqualFold(t.Locale, locale)
	}), err
}

// MailTemplate reads one, as it is now. The error is [store.NotFound].
func (s *Service) MailTemplate(ctx context.Context, id string) (store.MailTemplate, error) {
	all, err := s.store.FreshMailTemplates(ctx)
	if err != nil {
		return store.MailTemplate{}, err
	}
	i := slices.IndexFunc(all, func(t store.MailTemplate) bool { return t.ID == id })
	if i < 0 {
		return store.MailTemplate{}, &store.Error{Code: store.NotFound, Op: "read mail template"}
	}
	return all[i], nil
}

// SetMailTemplates words mails, all or none: each takes the place of the one for its usage
// and language.
func (s *Service) SetMailTemplates(ctx context.Context, by audit.Actor, templates []store.MailTemplate) ([]store.MailTemplate, error) {
	const op = "set mail templates"
	all, err := s.store.FreshMailTemplates(ctx)
	if err != nil {
		return nil, err
	}
	templates = slices.Clone(templates)
	var told []store.Event
	for i := range templates {
		t := &templates[i]
		if err := checkTemplate(op, fmt.Sprintf("templates[%d].", i), t); err != nil {
			return nil, err
		}
		same := func(o store.MailTemplate) bool { return o.Usage == t.Usage && strings.EqualFold(o.Locale, t.Locale) }
		if slices.ContainsFunc(templates[:i], same) {
			return nil, store.InvalidField(op, fmt.Sprintf("templates[%d]", i), "is for the same mail and language as one before it")
		}
		var before any
		if j := slices.IndexFunc(all, same); j >= 0 { // pt-br and pt-BR are one language
			t.Locale, before = all[j].Locale, templateSeen(all[j])
		}
		told = append(told, s.book.Entry(by, audit.Record{Kind: "mail_template.set", Target: templateName(*t), Detail: audit.Changes(before, templateSeen(*t))}))
	}
	if len(templates) == 0 {
		return nil, nil
	}
	return s.store.SetMailTemplates(ctx, templates, told...)
}

// AddMailTemplate words a mail that has no words of the operator's. The error is [store.Changed]
// if somebody else has given it some.
func (s *Service) AddMailTemplate(ctx context.Context, by audit.Actor, t store.MailTemplate) (store.MailTemplate, error) {
	const op = "add mail template"
	if err := checkTemplate(op, "", &t); err != nil {
		return t, err
	}
	there, err := s.MailTemplates(ctx, t.Usage, t.Locale) // pt-br and pt-BR are one language
	if err != nil {
		return t, err
	}
	if len(there) > 0 {
		return t, &store.Error{Code: store.Changed, Op: op}
	}
	entry := s.book.Entry(by, audit.Record{Kind: "mail_template.set", Target: templateName(t), Detail: audit.Changes(nil, templateSeen(t))})
	return s.store.AddMailTemplate(ctx, t, entry)
}

// UpdateMailTemplate changes what a template says by change, which may be called more than
// once. seen as in [Service.UpdateClient].
func (s *Service) UpdateMailTemplate(ctx context.Context, by audit.Actor, id string, seen time.Time, change func(*store.MailTemplate)) (store.MailTemplate, error) {
	const op = "update mail template"
	return edit(op, seen,
		func() (store.MailTemplate, time.Time, error) {
			t, err := s.MailTemplate(ctx, id)
			return t, t.UpdatedAt, err
		},
		func(before store.MailTemplate, version time.Time) (after store.MailTemplate, err error) {
			after = before
			change(&after)
			if err := checkTemplate(op, "", &after); err != nil {
				return after, err
			}
			entry := s.book.Entry(by, audit.Record{Kind: "mail_template.set", Target: templateName(after), Detail: audit.Changes(templateSeen(before), templateSeen(after))})
			after.UpdatedAt, err = s.store.UpdateMailTemplate(ctx, after, version, entry)
			return after, err
		})
}

// DeleteMailTemplate goes back to the mail that comes with the program. seen as in
// [Service.UpdateClient].
func (s *Service) DeleteMailTemplate(ctx context.Context, by audit.Actor, id string, seen time.Time) error {
	t, err := s.MailTemplate(ctx, id)
	if err != nil {
		return err
	}
	t.UpdatedAt = seen
	return s.store.DeleteMailTemplates(ctx, []store.MailTemplate{t}, s.templateGone(by, t))
}

// DeleteMailTemplates removes those for a usage and a language, and tells how many. One of
// the two has to be given.
func (s *Service) DeleteMailTemplates(ctx context.Context, by audit.Actor, usage store.Usage, locale string) (int, error) {
	const op = "delete mail templates"
	if usage == "" && locale == "" {
		return 0, store.InvalidField(op, "templateType", "is missing, and languageTag, too: say which to delete")
	}
	for try := 1; ; try++ {
		found, err := s.MailTemplates(ctx, usage, locale)
		if err != nil || len(found) == 0 {
			return 0, err
		}
		var told []store.Event
		for _, t := range found {
			told = append(told, s.templateGone(by, t))
		}
		err = s.store.DeleteMailTemplates(ctx, found, told...)
		if code := store.CodeOf(err); (code == store.Changed || code == store.NotFound) && try < editTries {
			continue
		}
		return len(found), err
	}
}

func (s *Service) templateGone(by audit.Actor, t store.MailTemplate) store.Event {
	return s.book.Entry(by, audit.Record{Kind: "mail_template.deleted", Target: templateName(t), Detail: audit.Changes(templateSeen(t), nil)})
}

// checkTemplate names a template's fields under a path.
func checkTemplate(op, path string, t *store.MailTemplate) error {
	if t.ContentType == "" {
		t.ContentType = "text/html"
	}
	if _, err := mailer.CheckTemplate(*t, true); err != nil {
		return store.InvalidField(op, strings.TrimSuffix(path+"details", "."), strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

func templateName(t store.MailTemplate) string { return string(t.Usage) + "/" + t.Locale }

// templateSeen is what the audit log tells of a template. Its content may be long: its
// hash tells whether it is one that somebody has kept.
func templateSeen(t store.MailTemplate) any {
	sum := sha256.Sum256([]byte(t.Content))
	return struct {
		Subject     string `json:"subject"`
		Content     string `json:"contentSha256"`
		Bytes       int    `json:"contentBytes"`
		ContentType string `json:"contentType"`
		ReplyTo     string `json:"replyTo"`
		SendFrom    string `json:"sendFrom"`
	}{t.Subject, hex.EncodeToString(sum[:]), len(t.Content), t.ContentType, t.ReplyTo, t.SendFrom}
}
