package resources_test

import (
	"html"
	"net/url"
	"strings"
	"testing"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

const (
	root     = "/console/resources"
	builtIn  = root + "/" + store.ManagementResource
	hostile  = `<script>alert(1)</script> ` + "\u05e9\u05dc\u05d5\u05dd 📦"
	orders   = "https://orders.example/api"
	signOut  = "/console/sign-out"
	noLonger = "not its name"
)

// made is a resource, with a scope.
func made(f *webtest.Fixture) (store.Resource, store.Scope) {
	f.Helper()
	r, err := f.Admin.CreateResource(f.Context(), audit.Command(), store.Resource{Name: "Orders", Indicator: orders})
	f.Must(err)
	c, err := f.Admin.CreateScope(f.Context(), audit.Command(), store.Scope{Resource: r.ID, Name: "read:orders", Description: "Reads"})
	f.Must(err)
	return r, c
}

func TestResource(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	p.Get(root).Want(200, "Management API", "Built in")
	scopes := p.Get(root+"/new").Submit(root+"/new", "name", "Orders", "indicator", orders).Follow().Want(200, "Orders is there", "No scopes yet")
	path := strings.TrimSuffix(scopes.Action(scopesPath(t, scopes)), "/scopes")
	list := scopes.Submit(path+"/scopes", "name", "read:orders", "description", "Reads them").Follow().Want(200, "Added read:orders", "Reads them")
	scope := p.Get(list.Link("read:orders"))
	scope.Submit(list.Link("read:orders"), "name", "look:orders", "description", "Looks").Follow().Want(200, "Saved.", "look:orders", "Looks")

	p.Get(path).Submit(path, "name", "All orders", "accessTokenTtl", "600").Follow().Want(200, "Saved.", "All orders")
	p.Get(path+"/use").Want(200, "scope=look:orders", "resource="+orders, "/oidc/jwks", url.QueryEscape(orders))
	p.Get(root+"?q=ALL").Want(200, "All orders", orders)
	p.Get(root+"?q=nothing").Want(200, "Nothing found")

	one := p.Get(list.Link("read:orders"))
	remove := one.Link("All orders") // back
	if remove != path+"/scopes" {
		t.Errorf("back leads to %s", remove)
	}
	one.Submit(list.Link("read:orders")+"/delete", "confirm", "read:orders").Want(422, noLonger)
	one.Submit(list.Link("read:orders")+"/delete", "confirm", "look:orders").Follow().Want(200, "Deleted look:orders", "No scopes yet")
	p.Get(path).Submit(path+"/delete", "confirm", "Orders").Want(422, noLonger)
	p.Get(path).Submit(path+"/delete", "confirm", "All orders").Follow().Want(200, "Deleted All orders")
	p.Get(path).Want(404)
}

// scopesPath is where the form of a page posts to that adds a scope.
func scopesPath(t *testing.T, s *webtest.Shown) string {
	t.Helper()
	_, rest, _ := strings.Cut(s.Body, `action="`+root+"/")
	id, _, ok := strings.Cut(rest, "/scopes\"")
	if !ok || strings.Contains(id, `"`) {
		t.Fatalf("no form for a scope: %s", s.Text())
	}
	return root + "/" + id + "/scopes"
}

func TestWhatIsWrong(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	r, c := made(f)
	p := f.Operator(store.RoleAdmin)
	kept := func(s *webtest.Shown, typed ...string) {
		t.Helper()
		for _, text := range typed {
			if !strings.Contains(s.Body, `value="`+html.EscapeString(text)+`"`) {
				t.Errorf("%q is not kept: %s", text, s.Body)
			}
		}
	}
	// All that is wrong is said at once.
	kept(p.Get(root+"/new").Submit(root+"/new", "name", strings.Repeat("x", 200), "indicator", "orders").Want(422, "128", "no absolute URI"), strings.Repeat("x", 200), "orders")
	kept(p.Get(root+"/new").Submit(root+"/new", "name", "Second", "indicator", orders).Want(422, "Another API resource has this identifier"), "Second", orders)
	path := root + "/" + r.ID
	for _, ttl := range []string{"", "an hour", "59", "1e3", "86401"} {
		kept(p.Get(path).Submit(path, "name", "Kept", "accessTokenTtl", ttl).Want(422), "Kept")
	}
	kept(p.Get(path).Submit(path, "name", "", "accessTokenTtl", "600").Want(422, "Is missing"), "600")
	kept(p.Get(path+"/scopes").Submit(path+"/scopes", "name", "two words", "description", "Kept").Want(422, "no visible ASCII"), "two words", "Kept")
	kept(p.Get(path+"/scopes").Submit(path+"/scopes", "name", "read:orders").Want(422, "has a scope of this name already"), "read:orders")
	kept(p.Get(path+"/scopes/"+c.ID).Submit(path+"/scopes/"+c.ID, "name", "a\"b", "description", "Kept").Want(422), "a\"b", "Kept")

	// What a role has cannot go.
	_, err := f.Admin.CreateRole(t.Context(), audit.Command(), store.Role{Name: "Clerk"}, []string{c.ID})
	f.Must(err)
	p.Get(path).Submit(path+"/delete", "confirm", "Orders").Want(409, "Clerk")
	p.Get(path+"/scopes/"+c.ID).Submit(path+"/scopes/"+c.ID+"/delete", "confirm", "read:orders").Want(409, "Clerk")
	for _, gone := range []string{root + "/none", path + "/scopes/none", root + "/none/scopes/" + c.ID, builtIn + "/scopes/" + c.ID, root + "/none/use", root + "/none/scopes"} {
		p.Get(gone).Want(404)
	}
}

// The second of two who edit the same is shown what the first one has saved, and may save.
func TestTwoEditors(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	r, c := made(f)
	p := f.Operator(store.RoleAdmin)
	path := root + "/" + r.ID
	first, second := p.Get(path), p.Get(path)
	first.Submit(path, "name", "Theirs", "accessTokenTtl", "600").WantTo(path)
	told := second.Submit(path, "name", "Mine", "accessTokenTtl", "3600").Want(409, "Somebody else has changed this", "Theirs", "Mine", "600")
	told.Submit(path).Follow().Want(200, "Saved.", "Mine")
	scope := path + "/scopes/" + c.ID
	first, second = p.Get(scope), p.Get(scope)
	first.Submit(scope, "description", "Theirs").WantTo(path + "/scopes")
	second.Submit(scope, "description", "Mine").Want(409, "Somebody else has changed this", "Theirs", "Mine").Submit(scope).Follow().Want(200, "Mine")
}

func TestSentTwice(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	blank := p.Get(root + "/new")
	first := blank.Submit(root+"/new", "name", "Orders", "indicator", orders)
	blank.Submit(root+"/new", "name", "Orders", "indicator", orders).WantTo(first.Location())
	page := first.Follow()
	scopes := scopesPath(t, page)
	for range 2 {
		page.Submit(scopes, "name", "read").WantTo(scopes)
	}
	// What failed may be sent again.
	wrong := p.Get(root+"/new").Submit(root+"/new", "name", "Stock", "indicator", "stock").Want(422)
	wrong.Submit(root+"/new", "name", "Stock", "indicator", "https://stock.example").Follow().Want(200, "Stock is there")
}

// A viewer sees everything, and changes nothing by any route. Nobody changes what is built in.
func TestViewer(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	r, c := made(f)
	path := root + "/" + r.ID
	pages := []string{root, root + "/new", path, path + "/scopes", path + "/scopes/" + c.ID, path + "/use", builtIn, builtIn + "/scopes", builtIn + "/scopes/" + store.ManagementScope, builtIn + "/use"}
	posts := []string{root + "/new", path, path + "/delete", path + "/scopes", path + "/scopes/" + c.ID, path + "/scopes/" + c.ID + "/delete"}
	viewer := f.Operator(store.RoleViewer)
	form := viewer.Get(root).Form(signOut)
	for _, page := range pages {
		if shown := viewer.Get(page).Want(200); strings.Contains(shown.Body, "<button>") || strings.Contains(shown.Body, `class="bad"`) {
			t.Errorf("%s has a button that does nothing", page)
		}
	}
	fields := func(form url.Values) url.Values {
		for name, value := range map[string]string{"name": "Changed", "indicator": "https://x.example", "accessTokenTtl": "600", "confirm": "Orders"} {
			form.Set(name, value)
		}
		return form
	}
	for _, post := range posts {
		viewer.Post(post, fields(form)).Want(403, "Your role does not allow this")
	}
	owner := f.Operator(store.RoleOwner)
	form = fields(owner.Get(root).Form(signOut))
	form.Set("confirm", "Management API")
	for _, post := range []string{builtIn, builtIn + "/delete", builtIn + "/scopes", builtIn + "/scopes/" + store.ManagementScope} {
		if s := owner.Post(post, form); s.Status != 409 && s.Status != 422 {
			t.Errorf("%s: %d %s", post, s.Status, s.Text())
		}
	}
	form.Set("confirm", "all")
	owner.Post(builtIn+"/scopes/"+store.ManagementScope+"/delete", form).Want(409, "built in")
	if now, err := f.Admin.Resource(t.Context(), r.ID); err != nil || now.Name != "Orders" {
		t.Error(now, err)
	}
	if _, n, err := f.Admin.Resources(t.Context(), store.Listing{Limit: 9}); err != nil || n != 2 {
		t.Error(n, err)
	}
}

// A name may hold anything; the pages show it as it is.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	r, err := f.Admin.CreateResource(t.Context(), audit.Command(), store.Resource{Name: hostile, Indicator: "https://a.example/$(id)'x"})
	f.Must(err)
	c, err := f.Admin.CreateScope(t.Context(), audit.Command(), store.Scope{Resource: r.ID, Name: "<img/src=x>", Description: hostile})
	f.Must(err)
	p := f.Operator(store.RoleAdmin)
	path := root + "/" + r.ID
	for _, page := range []string{root, path, path + "/scopes", path + "/scopes/" + c.ID, path + "/use"} {
		for _, lang := range []string{"", "ja"} {
			s := p.Get(page + "?lang=" + lang)
			if s.Status == 303 {
				s = s.Follow()
			}
			if s.Want(200, hostile); strings.Contains(s.Body, "<script>alert") || strings.Contains(s.Body, "<img/src") {
				t.Errorf("%s: %s", page, s.Body)
			}
		}
	}
	p.Get(path+"/use").Want(200, `'resource=https://a.example/$(id)'\''x'`)
	p.Get(path).Submit(path+"/delete", "confirm", hostile).Follow().Want(200, hostile)
}
