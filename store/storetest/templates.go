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
	stored, err := f.db.SetMailTemplate(f.ctx(), first)
	f.no(err)
	if !regexp.MustCompile(`^[0-9A-Za-z]{21}$`).MatchString(stored.ID) || stored.CreatedAt.IsZero() || stored.UpdatedAt.IsZero() {
		t.Errorf("stored as %+v", stored)
	}
	other := first
	other.Locale, other.Content, other.ContentType = "ja", "{{ code }}", "text/plain"
	_, err = f.db.SetMailTemplate(f.ctx(), other)
	f.no(err)
	first.Content, first.ReplyTo = "<p>{{ link }}</p>", ""
	replaced, err := f.db.SetMailTemplate(f.ctx(), first)
	f.no(err)
	if replaced.ID != stored.ID || !replaced.CreatedAt.Equal(stored.CreatedAt) {
		t.Errorf("replaced as another one: %+v, was %+v", replaced, stored)
	}
	all, err := f.replica().MailTemplates(f.ctx())
	f.no(err)
	if len(all) != 2 || all[0] != replaced || all[1].Locale != "ja" || all[1].ID == stored.ID {
		t.Errorf("read back as %+v", all)
	}
	f.no(f.db.DeleteMailTemplate(f.ctx(), store.UsageSignIn, "en"))
	f.want(f.db.DeleteMailTemplate(f.ctx(), store.UsageSignIn, "en"), store.NotFound)
	if all, err := f.db.MailTemplates(f.ctx()); err != nil || len(all) != 1 { // not the cached ones
		t.Errorf("%v, %v", all, err)
	}
}
