//go:build browser

package users_test

import (
	"testing"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

func TestShots(t *testing.T) {
	f := webtest.New(t)
	path := person(f, ada)
	f.Person().SignedIn(ada, 2)
	for _, u := range []store.User{
		{Email: "grace.hopper@example.com", Name: "Grace Hopper", Username: "grace"}, {Email: "bob@example.com", Name: hostile},
		{Email: "very.long.address.of.somebody.whose.company.has.a.long.name@department.example.org", Name: "Maximiliane von und zu Beispielhausen-Musterstadt"},
	} {
		_, err := f.Admin.CreateUser(t.Context(), audit.Command(), u)
		f.Must(err)
	}
	f.Suspend("bob@example.com")
	r, err := f.Admin.CreateRole(t.Context(), audit.Command(), store.Role{Name: "Clerk", Description: "Sells books", Type: store.UserRole}, nil)
	f.Must(err)
	_, err = f.Admin.CreateRole(t.Context(), audit.Command(), store.Role{Name: "Editor", Type: store.UserRole}, nil)
	f.Must(err)
	p := f.Operator(store.RoleOwner)
	p.Get(path+"/roles").Submit(path+"/roles", "role", r.ID)
	for _, lang := range webtest.ShotLanguages() {
		if lang != "en" && lang != "ja" {
			continue
		}
		p.Get("/console?lang=" + lang)
		f.Shots(lang, map[string]string{
			"list": p.Get(root).Body, "none": p.Get(root + "?q=zzz").Body, "new": p.Get(root + "/new").Body, "profile": p.Get(path).Body,
			"wrong": p.Get(path).Submit(path, "primaryEmail", "ada", "profile.givenName", "Ada").Body,
			"data":  p.Get(path+"/data").Submit(path+"/data", "customData", "{\n  \"plan\": pro\n}").Body, "roles": p.Get(path + "/roles").Body,
			"sessions": p.Get(path + "/sessions").Body, "activity": p.Get(path + "/activity").Body, "access": p.Get(path + "/access").Body,
			"link": p.Get(path+"/access").Submit(path+"/link", "days", "7").Body,
		})
	}
}
