package storetest

import (
	"regexp"
	"testing"

	"idp/store"
)

func testMailTemplates(t *testing.T, f *fixture) {
	if all, err := f.db.MailTemplates(f.ctx()); err != nil || len(all) != 0 {
		t.Fatalf("%v, %v", all, err)
	}
	first := store.MailTemplate{Usage: store.UsageSignIn, Locale: "en", Subject: "Sign in", Content: "<p>{{ code }} “½” 日本</p>",
		ContentType: "text/html", ReplyTo: "help@example.com", SendFrom: "Shop <shop@example.com>"}
	set := func(t store.MailTemplate) store.MailTemplate {
		stored, err := f.db.SetMailTemplates(f.ctx(), []store.MailTemplate{t})
		f.no(err)
		return stored[0]
	}
	stored := set(first)
	if !regexp.MustCompile(`^[0-9A-Za-z]{21}$`).MatchString(stored.ID) || stored.CreatedAt.IsZero() || stored.UpdatedAt.IsZero() {
		t.Errorf("stored as %+v", stored)
	}
	other := first
	other.Locale, other.Content, other.ContentType = "ja", "{{ code }}", "text/plain"
	set(other)
	first.Content, first.ReplyTo = "<p>{{ link }}</p>", ""
	replaced := set(first)
	if replaced.ID != stored.ID || !replaced.CreatedAt.Equal(stored.CreatedAt) {
		t.Errorf("replaced as another one: %+v, was %+v", replaced, stored)
	}
	all, err := f.replica().MailTemplates(f.ctx())
	f.no(err)
	if len(all) != 2 || all[0] != replaced || all[1].Locale != "ja" || all[1].ID == stored.ID {
		t.Errorf("read back as %+v", all)
	}

	// Nobody's words take the place of another's unseen.
	third := first
	third.Locale = "de"
	added, err := f.db.AddMailTemplate(f.ctx(), third)
	f.no(err)
	if added.ID == "" || added.UpdatedAt.IsZero() {
		t.Errorf("added as %+v", added)
	}
	unseen := store.Event{ID: store.NewID(f.db.Now()), Kind: "mail_template.changed"}
	_, err = f.db.AddMailTemplate(f.ctx(), third, unseen)
	f.want(err, store.Changed)
	f.no(f.db.DeleteMailTemplates(f.ctx(), []store.MailTemplate{added}))

	// Of two who change it at once one is told, and nothing of his is kept.
	next := replaced
	next.Subject = "Again"
	updated, err := f.db.UpdateMailTemplate(f.ctx(), next, replaced.UpdatedAt)
	f.no(err)
	told := store.Event{ID: store.NewID(f.db.Now()), Kind: "mail_template.changed"}
	_, err = f.db.UpdateMailTemplate(f.ctx(), next, replaced.UpdatedAt, told)
	f.want(err, store.Changed)
	_, err = f.db.UpdateMailTemplate(f.ctx(), store.MailTemplate{ID: "none"}, replaced.UpdatedAt, told)
	f.want(err, store.NotFound)
	f.want(f.db.DeleteMailTemplates(f.ctx(), []store.MailTemplate{all[1], replaced}, told), store.Changed)
	f.want(f.db.DeleteMailTemplates(f.ctx(), []store.MailTemplate{all[1], {ID: "none"}}, told), store.NotFound)
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'mail_template.changed'`); n != 0 {
		t.Errorf("%d entries tell of what did not happen", n)
	}
	if all, err := f.db.MailTemplates(f.ctx()); err != nil || len(all) != 2 || all[0].Subject != "Again" || !all[0].UpdatedAt.Equal(updated) {
		t.Errorf("%v, %v", all, err)
	}
	f.no(f.db.DeleteMailTemplates(f.ctx(), []store.MailTemplate{{ID: replaced.ID}}, told))
	if all, err := f.db.MailTemplates(f.ctx()); err != nil || len(all) != 1 { // not the cached ones
		t.Errorf("%v, %v", all, err)
	}
}
