package users_test

import (
	"fmt"
	"strings"
	"testing"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

const (
	root    = "/console/users"
	ada     = "ada@example.com"
	hostile = `<script>alert(1)</script> ` + "\u05e9\u05dc\u05d5\u05dd 📦"
)

// person registers somebody, and gives where they are in the console.
func person(f *webtest.Fixture, email string) (path string) {
	f.Helper()
	f.Register(email)
	return at(f, email)
}

func at(f *webtest.Fixture, email string) string {
	f.Helper()
	u, err := f.Admin.UserByEmail(f.Context(), store.Email(email))
	f.Must(err)
	return root + "/" + u.ID
}

func TestList(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	for i := range 30 {
		_, err := f.Admin.CreateUser(t.Context(), audit.Command(), store.User{Email: store.Email(fmt.Sprintf("p%02d@example.com", i)), Name: fmt.Sprintf("Person %d", i)})
		f.Must(err)
	}
	page := p.Get(root).Want(200, "1–25 of 31", "p29@example.com", "Never")
	p.Get(page.Link("Next")).Want(200, "26–31 of 31", webtest.OperatorEmail(store.RoleAdmin))
	p.Get(root+"?q=P07").Want(200, "p07@example.com", "Person 7").Lacks("p08@example.com")
	p.Get(root+"?q=person+3").Want(200, "p03@example.com")
	p.Get(root+"?q=nobody").Want(200, "Nobody was found")
	p.Get(root+"?q="+strings.Repeat("x", 300)).Want(200, "begins")
	p.Get(root + "/none").Want(404)
}

func TestNew(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	blank := p.Get(root + "/new?email=bob@example.com").Has(`value="bob@example.com"`)
	blank.Submit(root+"/new", "primaryEmail", "bob", "name", "Kept").Want(422, "Is no address that mail can go to.").Has(`value="Kept"`)
	blank.Submit(root+"/new", "username", "1bob", "name", "Kept").Want(422, "the first no digit").Has(`value="Kept"`)
	blank.Submit(root+"/new", "primaryEmail", webtest.OperatorEmail(store.RoleAdmin)).Want(422, "Is another account's.")
	first := blank.Submit(root+"/new", "name", hostile)
	blank.Submit(root+"/new", "name", hostile).WantTo(first.Location())
	page := first.Follow().Want(200, "The account is there", "bob@example.com", hostile)
	page.Lacks("<script>alert")
	p.Get(root).Lacks("<script>alert").Want(200, hostile)
	f.Person().SignedIn("bob@example.com", 1)
}

func TestProfile(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	path := person(f, ada)
	p := f.Operator(store.RoleAdmin)
	page := p.Get(path).Want(200, ada, "Last sign-in")
	page.Submit(path, "name", "Ada", "profile.givenName", "Augusta Ada", "profile.address.country", "England").Follow().Want(200, "Saved.", "Ada").
		Has(`value="Augusta Ada"`).Has(`value="England"`).Has("<details open>")
	for field, wrong := range map[string][2]string{
		"primaryEmail": {"ada", "Is no address"}, "avatar": {"ftp://x", "Is no http or https URL"}, "profile.website": {"javascript:x", "Is no http or https URL"},
		"profile.gender": {strings.Repeat("x", 257), "256"}, "username": {"a b", "128 at most"}, "name": {"a\u202eb", "control character"},
		"profile.address.country": {strings.Repeat("x", 1025), "1024"},
	} {
		shown := p.Get(path).Submit(path, "profile.nickname", "Kept", field, wrong[0]).Want(422, wrong[1])
		if !strings.Contains(shown.Body, `value="Kept"`) || !strings.Contains(shown.Body, `aria-invalid="true"`) {
			t.Errorf("%s: what was typed is gone, or not marked", field)
		}
	}
	first, second := p.Get(path), p.Get(path)
	first.Submit(path, "name", "Theirs").WantTo(path)
	second.Submit(path, "name", "Mine").Want(409, "Somebody else has changed this", "Theirs", "Mine").Submit(path).Follow().Want(200, "Saved.", "Mine")
	p.Get(path).Submit(path, "primaryEmail", "countess@example.com").Follow().Want(200, "countess@example.com")
	f.Person().SignedIn("countess@example.com", 1)
}

func TestData(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	path := person(f, ada)
	data := path + "/data"
	p := f.Operator(store.RoleAdmin)
	page := p.Get(data).Want(200, "JSON object")
	page.Submit(data, "customData", "{\n  \"plan\": \"pro\",\n  \"n\": [1, 2]\n}").Follow().Want(200, "Saved.", `"plan": "pro"`)
	for text, wrong := range map[string]string{
		"{\n  \"plan\": pro\n}": "Line 2, column 11", "[1]": "Is no JSON object", "{": "Line 1, column 2",
		`{"a":"` + strings.Repeat("x", 64<<10) + `"}`: "Is longer than 65536 bytes", strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200): "inside of one another",
	} {
		if shown := p.Get(data).Submit(data, "customData", text).Want(422, wrong); len(text) < 100 && !strings.Contains(shown.Body, strings.Split(strings.ReplaceAll(text, `"`, "&#34;"), "\n")[0]) {
			t.Errorf("%q is gone", text)
		}
	}
	first, second := p.Get(data), p.Get(data)
	first.Submit(data, "customData", `{"plan":"theirs"}`).WantTo(data)
	second.Submit(data, "customData", `{"plan":"mine"}`).Want(409, "theirs", "mine").Submit(data).Follow().Want(200, `"plan": "mine"`)
	p.Get(data).Submit(data, "customData", "").Follow().Want(200, "{}")
}

func TestRoles(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	path := person(f, ada)
	roles := path + "/roles"
	p := f.Operator(store.RoleAdmin)
	p.Get(roles).Want(200, "They have no role").Lacks("Give a role")
	r, err := f.Admin.CreateRole(t.Context(), audit.Command(), store.Role{Name: "Clerk <b>", Type: store.UserRole}, nil)
	f.Must(err)
	given := p.Get(roles).Submit(roles, "role", r.ID).Follow().Want(200, "Given.", "Clerk <b>").Lacks("<b>")
	for range 2 { // the second time is no error
		given.Submit(roles+"/remove").Follow().Want(200, "Taken away.", "They have no role")
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	path := person(f, ada)
	f.Person().SignedIn(ada, 2)
	sessions := path + "/sessions"
	p := f.Operator(store.RoleAdmin)
	page := p.Get(sessions).Want(200, "Where they are signed in", "Sign out everywhere")
	page.Submit(sessions+"/end").Follow().Want(200, "Signed out in that browser.")
	page.Submit(sessions+"/end").Follow().Want(200, "Signed out in that browser.") // again
	page.Submit(sessions+"/end-all").Follow().Want(200, "Signed out everywhere", "They are signed in nowhere.")
	p.Get(path+"/activity").Want(200, "Session ended by an administrator", "An operator", "Made an account", "Themselves")
	p.Get(path + "/activity?before=x").Want(404)
}

func TestAccess(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	path := person(f, ada)
	access := path + "/access"
	p := f.Operator(store.RoleAdmin)
	blank := p.Get(access)
	made := blank.Submit(path+"/link", "days", "7").Want(201, "Copy it now", "/sign-in?")
	blank.Submit(path+"/link", "days", "7").WantTo(access)
	blank.Submit(path+"/link", "days", "99", "once", "another").Want(422, "30 days")
	link := made.Text()[strings.Index(made.Text(), f.Server.URL+"/sign-in?"):]
	link, _, _ = strings.Cut(strings.TrimPrefix(link, f.Server.URL), " ")
	visitor := f.Person()
	in := visitor.Get(link).Want(200, ada).Submit("/one-time-token")
	if in.Location() == "" {
		t.Fatal(in.Text())
	}
	visitor.Get("/account").Want(200, ada)
	p.Get(access).Submit(path+"/suspend").Follow().Want(200, "Suspended", "Reinstate")
	visitor.Get("/account").Lacks(ada)
	p.Get(access).Submit(path+"/reinstate").Follow().Want(200, "Reinstated")
	p.Get(access).Submit(path+"/delete", "confirm", "bob@example.com").Want(422, "nothing was deleted")
	p.Get(access).Submit(path+"/delete", "confirm", ada).Follow().Want(200, "Deleted "+ada)
	p.Get(path).Want(404)
}

// An admin keeps nobody out who may enter the console, and signs in as nobody of them.
func TestPowers(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	owner, p := f.Operator(store.RoleOwner), f.Operator(store.RoleAdmin)
	boss := at(f, webtest.OperatorEmail(store.RoleOwner))
	page := p.Get(boss + "/access")
	page.Submit(boss+"/suspend").Want(409, "only an owner can suspend them")
	page.Submit(boss+"/delete", "confirm", webtest.OperatorEmail(store.RoleOwner)).Want(409, "only an owner can suspend them")
	page.Submit(boss+"/link").Want(422, "owner")
	p.Post(boss+"/sessions/end-all", page.Form(boss+"/suspend")).Want(403, "only an owner can sign them out everywhere")
	owner.Get(boss).Want(200, "Sign out").Lacks(`action="/sign-in"`)
	p.Get(boss).Submit(boss, "primaryEmail", "mallory@example.com").Want(422, "Is an operator's")
	owner.Get(boss+"/access").Submit(boss+"/suspend").Want(409, "the last owner")
	other := at(f, webtest.OperatorEmail(store.RoleAdmin))
	p.Post(other+"/sessions/end-all", page.Form(boss+"/suspend")).Want(303) // it is their own
	p = f.Operator(store.RoleAdmin)
	owner.Get(other+"/access").Submit(other+"/suspend").Follow().Want(200, "Suspended")
	p.Get(root).Lacks("Everybody who has an account")
}

// A viewer looks, and changes nothing by any route.
func TestViewer(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	path := person(f, ada)
	p := f.Operator(store.RoleViewer)
	page := p.Get(root).Want(200, ada)
	token := page.Form("/console/sign-out")
	for _, shown := range []string{"", "/roles", "/data", "/sessions", "/activity", "/access"} {
		p.Get(path+shown).Want(200, ada)
	}
	for _, changed := range []string{"/new", strings.TrimPrefix(path, root), "", "/data", "/roles", "/roles/remove", "/sessions/end", "/sessions/end-all", "/grants/revoke", "/link", "/suspend", "/reinstate", "/delete"} {
		to := path + changed
		if changed == "/new" || strings.HasPrefix(to, path+"/"+strings.TrimPrefix(path, root+"/")) {
			to = root + changed
		}
		p.Post(to, token).Want(403, "Your role does not allow this")
	}
}
