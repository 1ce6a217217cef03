//go:build browser

package timeline_test

import (
	"testing"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

func TestShots(t *testing.T) {
	f := webtest.New(t)
	f.Register(ada)
	wrong(f, 2)
	wrong(f, 5)
	f.Must(f.Admin.Suppress(t.Context(), audit.Command(), ada, "asked by phone"))
	f.Suspend(ada)
	f.Register("grace@example.com")
	for range 3 {
		code := f.Person().ToCode("/sign-in", "grace@example.com")
		for range 4 {
			code.Submit("/verify", "code", "000000")
		}
	}
	f.Person().ToCode("/sign-in", "grace@example.com")
	p := f.Operator(store.RoleOwner)
	for _, lang := range webtest.ShotLanguages() {
		if lang != "en" && lang != "ja" {
			continue
		}
		p.Get("/console?lang=" + lang)
		f.Shots(lang, map[string]string{
			"why": p.Get(of).Body, "why-limited": p.Get(why + "?email=grace@example.com").Body, "why-nobody": p.Get(why + "?email=bob@example.com").Body, "why-wrong": p.Get(why + "?email=bob").Body,
		})
	}
}
