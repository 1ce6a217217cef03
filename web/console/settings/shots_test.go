//go:build browser

package settings_test

import (
	"testing"
	"time"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

// Every page, to be looked at (webtest.Shots).
func TestShots(t *testing.T) {
	for _, lang := range webtest.ShotLanguages() {
		if lang != "en" && lang != "ja" {
			continue
		}
		f := webtest.New(t)
		p := f.Operator(store.RoleOwner)
		alone := p.Get(root + "?lang=" + lang)
		if alone.Status == 303 {
			alone = alone.Follow()
		}
		f.Must(f.Admin.AddOperator(t.Context(), audit.Command(), "eve.with.a.rather.long.address@department.example.com", store.RoleViewer))
		viewer := f.Operator(store.RoleViewer)
		viewer.Get(root + "?lang=" + lang)
		eve := of("eve.with.a.rather.long.address@department.example.com")
		page := p.Get(eve)
		stale := page.Form(eve, "role", "admin")
		stale.Set("seen", "owner")
		pages := map[string]*webtest.Shown{
			"list": p.Get(root), "list-alone": alone, "list-viewer": viewer.Get(root), "new": p.Get(root + "/people/new"),
			"new-wrong": p.Get(root+"/people/new").Submit(root+"/people/new", "email", "ada", "role", "viewer"),
			"person":    page, "person-changed": p.Post(eve, stale), "person-viewer": viewer.Get(eve), "oneself": p.Get(of("owner@operators.example")),
			"tests-none": p.Get(root + "/test-addresses"), "test-new": p.Get(root + "/test-addresses/new"),
			"test-wrong": p.Get(root+"/test-addresses/new").Submit(root+"/test-addresses/new", "email", "a@example.com", "confirm", "b"),
			"limits":     p.Get(root + "/limits"), "instance": p.Get(root + "/instance"),
		}
		_, err := f.Admin.SetTestAddress(t.Context(), audit.Command(), "app.store.review@example.com", "246810", f.DB.Now().AddDate(0, 0, 30))
		f.Must(err)
		pages["tests"], pages["test"] = p.Get(root+"/test-addresses"), p.Get(root+"/test-addresses/app.store.review@example.com")
		pages["test-remove-wrong"] = pages["test"].Submit(root+"/test-addresses/app.store.review@example.com/remove", "confirm", "something else")
		_, err = f.Admin.SetTestAddress(t.Context(), audit.Command(), "ended@example.com", "135790", f.DB.Now().AddDate(0, 0, 1))
		f.Must(err)
		f.DB.AdvanceForTest(25 * time.Hour)
		p = f.Operator(store.RoleOwner) // the session has ended
		p.Get(root + "?lang=" + lang)
		pages["tests-ended"] = p.Get(root + "/test-addresses")
		bodies := map[string]string{}
		for name, shown := range pages {
			bodies[name] = shown.Body
		}
		f.Shots(lang, bodies)
	}
}
