package roles_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

const (
	root    = "/console/roles"
	builtIn = root + "/" + store.ManagementRole
	signOut = "/console/sign-out"
	hostile = `<script>alert(1)</script> ` + "\u05e9\u05dc\u05d5\u05dd 📦"

	usersRead = "management-api-users-read"
	codesRead = "management-api-verification-codes-read"
)

// scopes makes an API with scopes.
func scopes(f *webtest.Fixture, names ...string) (ids []string) {
	f.Helper()
	r, err := f.Admin.CreateResource(f.Context(), audit.Command(), store.Resource{Name: "Orders", Indicator: "https://orders.example/api"})
	f.Must(err)
	for _, name := range names {
		c, err := f.Admin.CreateScope(f.Context(), audit.Command(), store.Scope{Resource: r.ID, Name: name})
		f.Must(err)
		ids = append(ids, c.ID)
	}
	return ids
}

func role(f *webtest.Fixture, name string, kind store.RoleType, scopes ...string) store.Role {
	f.Helper()
	r, err := f.Admin.CreateRole(f.Context(), audit.Command(), store.Role{Name: name, Type: kind}, scopes)
	f.Must(err)
	return r
}

func has(f *webtest.Fixture, role string) (ids []string) {
	f.Helper()
	list, _, err := f.Admin.RoleScopes(f.Context(), role, store.Listing{Limit: 100})
	f.Must(err)
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	slices.Sort(ids)
	return ids
}

// with is a form with these boxes ticked, and no others.
func with(form url.Values, name string, values ...string) url.Values {
	form.Del(name)
	if len(values) > 0 {
		form[name] = values
	}
	return form
}

func TestRole(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	ids := scopes(f, "read:orders", "write:orders")
	p := f.Operator(store.RoleAdmin)
	p.Get(root).Want(200, "Management API access", "Built in")
	made := p.Get(root+"/new").Submit(root+"/new", "name", "Clerk", "description", "Sells", "type", "User", "default", "1")
	path := strings.TrimSuffix(made.Location(), "/scopes")
	page := made.Follow().Want(200, "Clerk is there", "read:orders", "write:orders")
	if strings.Contains(page.Body, usersRead) {
		t.Error("people are offered the management API")
	}
	saved := p.Post(path+"/scopes", with(page.Form(path+"/scopes"), "scopes", ids[0])).Follow().Want(200, "Saved.")
	if !slices.Equal(has(f, made.Location()[len(root)+1:len(root)+22]), ids[:1]) || !strings.Contains(saved.Body, `value="`+ids[0]+`" checked`) || strings.Contains(saved.Body, `value="`+ids[1]+`" checked`) {
		t.Errorf("%s", saved.Body)
	}
	p.Get(path).Submit(path, "name", "Desk", "description", "", "default", "").Follow().Want(200, "Saved.", "Desk")
	p.Get(root+"?q=desk&type=User").Want(200, "Desk")
	p.Get(root+"?type=MachineToMachine").Want(200, "Management API access")
	p.Get(path).Submit(path+"/delete", "confirm", "Clerk").Want(422, "not its name")
	p.Get(path).Submit(path+"/delete", "confirm", "Desk").Follow().Want(200, "Deleted Desk")
	p.Get(path).Want(404)
}

func TestWhatIsWrong(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	r := role(f, "Clerk", store.UserRole)
	p := f.Operator(store.RoleAdmin)
	wrong := p.Get(root+"/new").Submit(root+"/new", "name", "Clerk", "description", "Kept", "type", "User").Want(422, "Another role has this name")
	if !strings.Contains(wrong.Body, `value="Kept"`) {
		t.Error("what was typed is gone")
	}
	p.Get(root+"/new").Submit(root+"/new", "name", "", "type", "User").Want(422, "Is missing")
	p.Get(root+"/new").Submit(root+"/new", "name", "x", "type", "Ghost").Want(422, "MachineToMachine")
	p.Get(root+"/new").Submit(root+"/new", "name", "x", "type", "MachineToMachine", "default", "1").Want(422, "Is for roles of people")
	path := root + "/" + r.ID
	p.Get(path).Submit(path, "name", "Management API access", "description", "Kept").Want(422, "Another role has this name")
	p.Get(path).Submit(path, "name", strings.Repeat("x", 129), "description", "Kept").Want(422, "128")
	for _, gone := range []string{"/none", "/none/scopes", "/none/holders"} {
		p.Get(root + gone).Want(404)
	}
}

func TestTwoEditors(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	ids := scopes(f, "read:orders", "write:orders")
	r := role(f, "Clerk", store.UserRole)
	p := f.Operator(store.RoleAdmin)
	path := root + "/" + r.ID
	first, second := p.Get(path), p.Get(path)
	first.Submit(path, "name", "Theirs", "default", "1").WantTo(path)
	second.Submit(path, "name", "Mine").Want(409, "Somebody else has changed this", "Theirs", "Mine", "Yes").Submit(path).Follow().Want(200, "Saved.", "Mine")

	at := path + "/scopes"
	first, second = p.Get(at), p.Get(at)
	p.Post(at, with(first.Form(at), "scopes", ids[0])).WantTo(at)
	told := p.Post(at, with(second.Form(at), "scopes", ids[1])).Want(409, "Somebody else has changed this", "Orders: read:orders", "Orders: write:orders")
	if !slices.Equal(has(f, r.ID), ids[:1]) {
		t.Error("the second one has overwritten the first one")
	}
	told.Submit(at).WantTo(at)
	if !slices.Equal(has(f, r.ID), ids[1:]) {
		t.Error(has(f, r.ID))
	}
	// A scope that is deleted meanwhile.
	third := p.Get(at)
	c, _, err := f.Admin.RoleScopes(t.Context(), r.ID, store.Listing{Limit: 1})
	f.Must(err)
	f.Must(f.Admin.RemoveRoleScope(t.Context(), audit.Command(), r.ID, ids[1]))
	f.Must(f.Admin.DeleteScope(t.Context(), audit.Command(), c[0].Resource, ids[1], c[0].UpdatedAt))
	form := with(third.Form(at), "scopes", ids[1])
	form.Del("version")
	p.Post(at, form).Want(422, "is gone meanwhile")
}

func TestSentTwice(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	blank := p.Get(root + "/new")
	first := blank.Submit(root+"/new", "name", "Clerk", "type", "User")
	blank.Submit(root+"/new", "name", "Clerk", "type", "User").WantTo(first.Location())
	if _, n, err := f.Admin.Roles(t.Context(), store.RoleListing{Listing: store.Listing{Limit: 9}}); err != nil || n != 2 {
		t.Error(n, err)
	}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	r := role(f, "Clerk", store.UserRole)
	at := root + "/" + r.ID + "/holders"
	for i := range 25 {
		u, err := f.Admin.CreateUser(t.Context(), audit.Command(), store.User{Email: store.Email(fmt.Sprintf("p%02d@example.com", i)), Name: fmt.Sprintf("Person %d", i)})
		f.Must(err)
		if i > 0 {
			f.Must(f.Admin.AddUserRoles(t.Context(), audit.Command(), []string{u.ID}, []string{r.ID}))
		}
	}
	p := f.Operator(store.RoleAdmin)
	page := p.Get(at).Want(200, "1–20 of 24")
	p.Get(page.Link("Next")).Want(200, "21–24 of 24")
	p.Get(at+"?find=nobody").Want(200, "Nobody was found.")
	found := p.Get(at+"?find=P0").Want(200, "p00@example.com", "Has it")
	given := found.Submit(at).Follow().Want(200, "Given.", "of 25")
	p.Get(at+"?find=person+0").Want(200, "p00@example.com", "Has it")
	for range 2 { // the second time is no error
		given.Submit(at+"/remove").Follow().Want(200, "Taken away.", "of 24")
	}
	p.Post(at, with(given.Form(signOut), "holder", "nobody")).Want(422, "no user")
	p.Get(root+"/"+r.ID).Submit(root+"/"+r.ID+"/delete", "confirm", "Clerk").Want(409, "somebody still has this role")
	p.Get(root).Want(200, "24")
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	r := role(f, "Robot", store.MachineRole)
	at := root + "/" + r.ID + "/holders"
	p := f.Operator(store.RoleAdmin)
	p.Get(at).Want(200, "There is no machine-to-machine application", "Nobody has this role yet")
	c, err := f.Admin.CreateClient(t.Context(), audit.Command(), store.Client{Name: "Nightly", Type: store.Machine, IDTokenAlg: "ES256"}, nil)
	f.Must(err)
	p.Get(at+"?find=other").Want(200, "is called that")
	given := p.Get(at).Want(200, "Nightly").Submit(at).Follow().Want(200, "Given.", c.ID)
	given.Submit(at+"/remove").Follow().Want(200, "Taken away.")
}

// Nobody gives away more than they have.
func TestPowers(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	r := role(f, "Robot", store.MachineRole)
	at := root + "/" + r.ID + "/scopes"
	machine, err := f.Admin.CreateClient(t.Context(), audit.Command(), store.Client{Name: "Nightly", Type: store.Machine, IDTokenAlg: "ES256"}, nil)
	f.Must(err)
	clerk, owner := f.Operator(store.RoleAdmin), f.Operator(store.RoleOwner)
	page := clerk.Get(at).Want(200, "users:read", "An owner can give this")
	clerk.Post(at, with(page.Form(at), "scopes", usersRead)).WantTo(at)
	clerk.Post(at, with(clerk.Get(at).Form(at), "scopes", usersRead, codesRead)).Want(422, "more of the management API than your own role has")
	clerk.Post(at, with(clerk.Get(at).Form(at), "scopes", store.ManagementScope)).Want(422, "more of the management API than your own role has")
	owner.Post(at, with(owner.Get(at).Form(at), "scopes", usersRead, codesRead)).WantTo(at)
	// What the role has already, an admin may leave, and take away.
	clerk.Post(at, with(clerk.Get(at).Form(at), "scopes", codesRead)).WantTo(at)
	if got := has(f, r.ID); !slices.Equal(got, []string{codesRead}) {
		t.Error(got)
	}
	holders := builtIn + "/holders"
	clerk.Get(holders).Submit(holders).Want(403, "more of the management API than your own role has")
	owner.Get(holders).Submit(holders).WantTo(holders)
	if list, _, err := f.Admin.ClientRoles(t.Context(), machine.ID, store.Listing{Limit: 9}); err != nil || len(list) != 1 {
		t.Error(list, err)
	}
}

func TestViewer(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	ids := scopes(f, "read:orders")
	r := role(f, "Clerk", store.UserRole, ids...)
	path := root + "/" + r.ID
	viewer, owner := f.Operator(store.RoleViewer), f.Operator(store.RoleOwner)
	for _, page := range []string{root, root + "/new", path, path + "/scopes", path + "/holders", builtIn, builtIn + "/scopes", builtIn + "/holders"} {
		if shown := viewer.Get(page).Want(200); strings.Contains(shown.Body, "<button>") || strings.Contains(shown.Body, `class="bad"`) || strings.Contains(shown.Body, `action="`+path+`/holders`) {
			t.Errorf("%s has a button that does nothing", page)
		}
	}
	form := viewer.Get(root).Form(signOut, "name", "x", "type", "User", "confirm", "Clerk", "holder", "x")
	for _, post := range []string{root + "/new", path, path + "/delete", path + "/scopes", path + "/holders", path + "/holders/remove"} {
		viewer.Post(post, form).Want(403, "Your role does not allow this")
	}
	if now, err := f.Admin.Role(t.Context(), r.ID); err != nil || now.Name != "Clerk" || !slices.Equal(has(f, r.ID), ids) {
		t.Error(now, err)
	}
	// What is built in nobody changes.
	form = owner.Get(root).Form(signOut, "name", "x", "confirm", "Management API access")
	owner.Post(builtIn, form).Want(422, "built in")
	owner.Post(builtIn+"/delete", form).Want(409, "built in")
	owner.Post(builtIn+"/scopes", form).Want(422, "built in")
}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	r, err := f.Admin.CreateRole(t.Context(), audit.Command(), store.Role{Name: hostile, Description: hostile}, nil)
	f.Must(err)
	u, err := f.Admin.CreateUser(t.Context(), audit.Command(), store.User{Email: "ada@example.com", Name: hostile})
	f.Must(err)
	f.Must(f.Admin.AddUserRoles(t.Context(), audit.Command(), []string{u.ID}, []string{r.ID}))
	p := f.Operator(store.RoleAdmin)
	path := root + "/" + r.ID
	for _, page := range []string{root, path, path + "/scopes", path + "/holders", path + "/holders?find=ada"} {
		if s := p.Get(page).Want(200, hostile); strings.Contains(s.Body, "<script>alert") {
			t.Errorf("%s: %s", page, s.Body)
		}
	}
	if s := p.Get(path + "/holders?find=" + url.QueryEscape(`"><script>alert(1)</script>%_`)).Want(200); strings.Contains(s.Body, "<script>alert") {
		t.Error(s.Body)
	}
}
