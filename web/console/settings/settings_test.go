package settings_test

import (
	"strings"
	"testing"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

const (
	root    = "/console/settings"
	signOut = "/console/sign-out"
)

func of(email string) string { return root + "/people/" + email }

func TestPeople(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleOwner)
	p.Get(root).Want(200, "owner@operators.example", "You", "One person only has access")

	// Wrong fields say so, and keep what was typed.
	page := p.Get(root+"/people/new").Want(200, "They need no account yet")
	for typed, want := range map[string]string{"": "Enter an address.", `ada"<b>`: "Is no email address.", "owner@operators.example": "has access already"} {
		wrong := page.Submit(root+"/people/new", "email", typed, "role", "viewer").Want(422, want)
		if got := wrong.Form(root + "/people/new"); got.Get("email") != typed || got.Get("role") != "viewer" {
			t.Errorf("%q: kept %v", typed, got)
		}
	}
	page.Submit(root+"/people/new", "email", "eve@example.com", "role", "king").Want(422, "none of owner, admin and viewer")
	form := page.Form(root+"/people/new", "email", "eve@example.com", "role", "viewer")
	p.Post(root+"/people/new", form).Follow().Want(200, "eve@example.com has access now", "Has not signed in yet")
	p.Post(root+"/people/new", form).WantTo(root) // sent twice: added once

	// Roles change, unless somebody else has changed them meanwhile.
	eve := p.Get(of("eve@example.com")).Want(200, "What they may do")
	f.Must(f.Admin.SetOperatorRole(t.Context(), audit.Command(), "eve@example.com", store.RoleOwner))
	stale := eve.Submit(of("eve@example.com"), "role", "admin").Want(409, "Somebody else has changed this", "Owner", "Admin")
	stale.Submit(of("eve@example.com")).Follow().Want(200, "Saved.")
	all, err := f.Admin.Operators(t.Context())
	f.Must(err)
	if len(all) != 2 || all[0].Role != store.RoleAdmin {
		t.Errorf("%+v", all)
	}

	// The last owner stays, by whatever form.
	me := p.Get(of("owner@operators.example")).Want(200, "Give up your access")
	me.Submit(of("owner@operators.example"), "role", "viewer").Want(422, "last owner who can sign in")
	me.Submit(of("owner@operators.example")+"/remove", "confirm", "owner@operators.example").Want(422, "last owner who can sign in")
	me.Submit(of("owner@operators.example")+"/remove", "confirm", "x").Want(422, "not their address")

	p.Get(of("eve@example.com")).Submit(of("eve@example.com")+"/remove", "confirm", "eve@example.com").Follow().Want(200, "has no access any more")
	p.Get(of("eve@example.com")).Want(404)
	p.Get(of("%3Cscript%3E")).Want(404)
}

// Whoever gives up their access is out at once.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Must(f.Admin.AddOperator(t.Context(), audit.Command(), "boss@example.com", store.RoleOwner))
	p := f.Operator(store.RoleOwner)
	me := of("owner@operators.example")
	p.Get(me).Submit(me+"/remove", "confirm", "owner@operators.example").WantTo(root)
	p.Get(root).Want(200, "Sign in to the console")
}

// Only owners say who has access, by whatever route.
func TestRoles(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	owner := f.Operator(store.RoleOwner)
	add := owner.Get(root+"/people/new").Form(root+"/people/new", "email", "mallory@example.com", "role", "owner")
	save := owner.Get(of("owner@operators.example")).Form(of("owner@operators.example"), "role", "viewer")
	for _, role := range []store.OperatorRole{store.RoleAdmin, store.RoleViewer} {
		p := f.Operator(role)
		page := p.Get(root).Want(200, "owner@operators.example").Lacks("Give somebody access")
		token := page.Form(signOut).Get("t")
		p.Get(root + "/people/new").Want(403)
		p.Get(of("owner@operators.example")).Want(200, "Only an owner can change who has access").Lacks("Take their access away")
		add.Set("t", token)
		save.Set("t", token)
		p.Post(root+"/people/new", add).Want(403, "Your role does not allow this")
		p.Post(of("owner@operators.example"), save).Want(403)
		p.Post(of("owner@operators.example")+"/remove", save).Want(403)
	}
	all, err := f.Admin.Operators(t.Context())
	f.Must(err)
	if len(all) != 3 {
		t.Errorf("%+v", all)
	}
}

func TestSignOutEverywhere(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	one := f.Operator(store.RoleViewer)
	two := f.Operator(store.RoleViewer)
	one.Get(root).Want(200, "Sign out of the console everywhere").Submit(root + "/sign-out-everywhere").WantTo("/console")
	for _, p := range []*webtest.Person{one, two} {
		p.Get(root).Want(200, "Sign in to the console")
	}
}

func TestWhatHolds(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleViewer)
	p.Get(root+"/limits").Want(200, "IDP_OTP_DIGITS", "Digits of a code.", "10/h, 20/24h", "No limit")
	about := p.Get(root+"/instance").Want(200, "1.2.3", "SQLite", f.Server.URL+"/oidc/.well-known/openid-configuration")
	if strings.Count(about.Body, `data-copy=`) != 2 {
		t.Error("addresses cannot be copied")
	}
}

func TestTestAddresses(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleOwner)
	const list, add = root + "/test-addresses", root + "/test-addresses/new"
	p.Get(list).Want(200, "No address has a fixed code")
	day := f.DB.Now().AddDate(0, 0, 10).Format("2006-01-02")
	page := p.Get(add).Want(200, "Choose an address that no person has")
	for _, wrong := range [][]string{
		{"email", "", "code", "246810", "until", day, "confirm", "", "Enter an address."},
		{"email", "no", "code", "246810", "until", day, "confirm", "no", "Is no email address."},
		{"email", "a@example.com", "code", "246810", "until", day, "confirm", "b@example.com", "not the address above"},
		{"email", "a@example.com", "code", "24681x", "until", day, "confirm", "a@example.com", "Has something else than digits."},
		{"email", "a@example.com", "code", "246810", "until", "soon", "confirm", "a@example.com", "Choose a day."},
		{"email", "a@example.com", "code", "246810", "until", "2020-01-01", "confirm", "a@example.com", "Is in the past."},
		{"email", "owner@operators.example", "code", "246810", "until", day, "confirm", "owner@operators.example", "Is an operator's"},
	} {
		page.Submit(add, wrong[:8]...).Want(422, wrong[8])
	}
	form := page.Form(add, "email", "review@example.com", "code", "246810", "until", day, "confirm", "review@example.com")
	p.Post(add, form).Follow().Want(200, "review@example.com", "has a fixed code now").Lacks("246810")
	p.Post(add, form).WantTo(list) // sent twice: set once

	const one = list + "/review@example.com"
	for _, role := range []store.OperatorRole{store.RoleAdmin, store.RoleViewer} {
		other := f.Operator(role)
		other.Get(list).Want(200, "review@example.com").Lacks("Add a test address")
		other.Get(one).Want(200).Lacks("Remove the test address")
		other.Get(add).Want(403)
	}
	shown := p.Get(one).Want(200, "Remove the test address").Lacks("246810")
	shown.Submit(one+"/remove", "confirm", "x").Want(422, "not the address")
	shown.Submit(one+"/remove", "confirm", "review@example.com").Follow().Want(200, "gets codes by mail again", "No address has a fixed code")
	p.Get(one).Want(404)
}
