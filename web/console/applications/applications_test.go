package applications_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

const list = "/console/applications"

// shown is the secret that a page shows.
var shown = regexp.MustCompile(`<code id="secret">([0-9A-Za-z]{32})</code>`)

func secretOn(page *webtest.Shown) string {
	page.Helper()
	m := shown.FindStringSubmatch(page.Body)
	if m == nil {
		page.Fatalf("no secret is shown: %s", page.Text())
	}
	return m[1]
}

// newest is the application that was made last.
func newest(f *webtest.Fixture) store.Client {
	f.Helper()
	all, _, err := f.Admin.Clients(f.Context(), store.ClientListing{Listing: store.Listing{Limit: 100}})
	f.Must(err)
	c, err := f.Admin.Client(f.Context(), all[len(all)-1].ID)
	f.Must(err)
	return c
}

func create(f *webtest.Fixture, c store.Client) (path string, made store.Client) {
	f.Helper()
	made, err := f.Admin.CreateClient(f.Context(), audit.Command(), c, nil)
	f.Must(err)
	return list + "/" + made.ID, made
}

// Each card makes a client of its type with its algorithm, and ends on code with its values
// and its secret, which is not shown again.
func TestCards(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	for _, card := range []struct {
		link, alg, code string
		kind            store.ClientType
	}{
		{"Flask Python, with Logto’s library", "ES256", "from logto import LogtoClient", store.Traditional},
		{"Express Node.js, with Logto’s library", "ES256", "from '@logto/express'", store.Traditional},
		{"Next.js App router, with Logto’s library", "ES256", "from '@logto/next/server-actions'", store.Traditional},
		{"Go With coreos/go-oidc", "RS256", "oidc.NewProvider", store.Traditional},
		{"OpenID Connect Any other library, like Auth0’s or Authlib", "RS256", "express-openid-connect", store.Traditional},
		{"Single-page app React, Vue or plain JavaScript: all of it runs in the browser", "ES256", "from '@logto/browser'", store.SPA},
		{"Native app iOS, Android, desktop or command line", "ES256", "net.openid.appauth", store.Native},
		{"Machine to machine A program that calls an API in its own name: nobody signs in", "ES256", "grant_type=client_credentials", store.Machine},
	} {
		name := "App <i>" + card.link + "</i>"
		if len(name) > 60 {
			name = name[:60]
		}
		made := p.Get(p.Get(list+"/new").Want(200).Link(card.link)).Want(200).Submit(list, "name", name).Want(201, name+" is ready")
		c := newest(f)
		if c.Name != name || c.Type != card.kind || c.IDTokenAlg != card.alg || c.PKCE != (card.kind != store.Machine) {
			t.Errorf("%s made %+v", card.link, c)
		}
		text := html.UnescapeString(made.Body)
		for _, part := range append([]string{card.code, c.ID, f.Server.URL}, c.RedirectURIs...) {
			if !strings.Contains(text, part) {
				t.Errorf("the code for %s lacks %s", card.link, part)
			}
		}
		guide := p.Get(list+"/"+c.ID+"/guide").Want(200, "Values")
		if !card.kind.Confidential() {
			if len(c.Secrets) > 0 || shown.MatchString(made.Body) {
				t.Errorf("%s has a secret", card.link)
			}
			continue
		}
		secret := secretOn(made)
		if c.Secrets[0].Hash != store.HashOf([]byte(secret)) || !strings.Contains(made.Body, "CLIENT_SECRET="+secret) {
			t.Errorf("%s shows another secret than its own", card.link)
		}
		if strings.Contains(guide.Body, secret) || !strings.Contains(guide.Body, "paste-the-secret-here") {
			t.Errorf("the guide of %s knows the secret", card.link)
		}
	}
}

// What is wrong stands beside its field, all at once, and what was typed stays.
func TestWrongFields(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	form := p.Get(list + "/new?for=express")
	typed := "https://shop.example/callback\nhttp://shop.example/callback\n<b>shop</b>"
	wrong := form.Submit(list, "name", "", "redirectUris", typed, "postLogoutRedirectUris", "https://shop.example/*").Want(422,
		"Is missing.", "Line 2 is http on a host that is not this machine (localhost): use https.", "Line 3 is not absolute", "Line 1 has a wildcard or a fragment")
	if again := wrong.Form(list); again.Get("redirectUris") != typed || again.Get("postLogoutRedirectUris") != "https://shop.example/*" || again.Get("for") != "express" {
		t.Errorf("what was typed is gone: %v", again)
	}
	form.Submit(list, "name", "Shop", "redirectUris", " \n").Want(422, "Without one nobody can sign in to it.")
	wrong.Submit(list, "name", "Shop", "redirectUris", " https://shop.example/callback \n\n", "postLogoutRedirectUris", "").Want(201)
	if c := newest(f); len(c.RedirectURIs) != 1 || c.RedirectURIs[0] != "https://shop.example/callback" {
		t.Errorf("registered %q", c.RedirectURIs)
	}
	p.Post(list, url.Values{"t": {form.Form(list).Get("t")}, "once": {"x"}, "for": {"cobol"}, "name": {"Shop"}}).Want(404)

	path, _ := create(f, store.Client{Name: "Nightly", Type: store.Machine})
	settings := p.Get(path)
	settings.Submit(path, "name", strings.Repeat("x", 129), "customData", "[1]").Want(422)
	settings.Submit(path, "customData", "{\n  \"plan\": pro\n}").Want(422, "Line 2, column 11: ")
	bad := settings.Submit(path, "customData", "[1]").Want(422, "Is no JSON object.")
	if bad.Form(path).Get("customData") != "[1]" {
		t.Error("the custom data that was typed is gone")
	}
	settings.Submit(path, "idTokenAlg", "none").Want(422)
}

// While somebody types, scripts are told what saving would say.
func TestCheckWhileTyping(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleViewer)
	ask := func(kind, field, text string) string {
		t.Helper()
		answer := p.Get(list + "/check?" + url.Values{"type": {kind}, field: {text}}.Encode()).Want(200)
		var said struct{ Error string }
		if err := json.Unmarshal([]byte(answer.Body), &said); err != nil || answer.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("%v: %s", err, answer.Body)
		}
		return said.Error
	}
	if said := ask("spa", "redirectUris", "https://shop.example/callback\nhttp://localhost:3000/callback"); said != "" {
		t.Error(said)
	}
	if said := ask("spa", "postLogoutRedirectUris", "https://shop.example/\nshop://x"); !strings.HasPrefix(said, "Line 2 begins with a scheme of an app's own") {
		t.Error(said)
	}
	if said := ask("native", "redirectUris", "shop.example://x"); said != "" {
		t.Error(said)
	}
	p.Get(list + "/new?for=flask&lang=ja")
	if said := ask("spa", "redirectUris", "shop"); !strings.HasPrefix(said, "1 行目：完全な URI ではありません") {
		t.Error(said)
	}
}

// A form that is sent twice makes one application.
func TestTwice(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	form := p.Get(list + "/new?for=flask")
	_, before, err := f.Admin.Clients(t.Context(), store.ClientListing{Listing: store.Listing{Limit: 100}})
	f.Must(err)
	secret := secretOn(form.Submit(list, "name", "Once").Want(201))
	c := newest(f)
	form.Submit(list, "name", "Once").WantTo(list + "/" + c.ID + "/guide?as=flask")
	if _, after, err := f.Admin.Clients(t.Context(), store.ClientListing{Listing: store.Listing{Limit: 100}}); err != nil || after != before+1 {
		t.Errorf("%d applications, then %d: %v", before, after, err)
	}

	path := list + "/" + c.ID + "/secrets"
	page := p.Get(path)
	if another := secretOn(page.Submit(path, "name", "CI", "ends", "30").Want(201, "CI", "Never")); another == secret {
		t.Error("the same secret twice")
	}
	page.Submit(path, "name", "CI", "ends", "30").WantTo(path)
	if c := newest(f); len(c.Secrets) != 2 || time.Until(c.Secrets[0].ExpiresAt) < 29*24*time.Hour {
		t.Errorf("secrets: %+v", c.Secrets)
	}
}

// Of two who edit at once the second one is told what the first one has saved, and may
// save over it.
func TestTwoEditors(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	path, c := create(f, store.Client{Name: "Shop", Type: store.Traditional, PKCE: true, RedirectURIs: []string{"https://shop.example/callback"}})
	first, second := f.Operator(store.RoleAdmin), f.Operator(store.RoleOwner)
	mine, theirs := first.Get(path), second.Get(path)
	theirs.Submit(path, "description", "Theirs <b>").WantTo(path)
	told := mine.Submit(path, "description", "Mine", "redirectUris", "https://shop.example/new").Want(409,
		"Somebody else has changed this", "Theirs <b>", "https://shop.example/new", "Redirect URIs")
	told.Submit(path).WantTo(path)
	if c, _ = f.Admin.Client(t.Context(), c.ID); c.Description != "Mine" || c.RedirectURIs[0] != "https://shop.example/new" {
		t.Errorf("saved %+v", c)
	}
	first.Get(path).Want(200, "Saved.")

	brand := first.Get(path + "/branding")
	second.Get(path+"/branding").Submit(path+"/branding", "displayName", "Theirs").WantTo(path + "/branding")
	brand.Submit(path+"/branding", "displayName", "Mine", "primaryColor", "#abc").Want(409, "Theirs", "#abc").
		Submit(path + "/branding").WantTo(path + "/branding")
	if c, _ = f.Admin.Client(t.Context(), c.ID); c.Experience.DisplayName != "Mine" || c.Experience.PrimaryColor != "#aabbcc" {
		t.Errorf("branding: %+v", c.Experience)
	}
	brand.Submit(path+"/branding", "version", "", "logoUrl", "http://shop.example/logo.png").Want(422, "Is no https URL.")
}

// Who deletes types the name, of an application and of a secret.
func TestDelete(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	_, secret := f.Admin.NewSecret("CI / main", time.Time{})
	path, c := create(f, store.Client{Name: "Shop & Söhne", Type: store.Traditional, PKCE: true, Secrets: []store.ClientSecret{secret}})
	p := f.Operator(store.RoleAdmin)
	one := p.Get(p.Get(path+"/secrets").Want(200, secret.Prefix+"…").Link("CI / main")).Want(200)
	where := path + "/secrets/" + secret.ID.String()
	one.Submit(where, "name", " ").Want(422, "Is missing.")
	one.Submit(where, "name", "CI").WantTo(path + "/secrets")
	one.Submit(where+"/delete", "confirm", "CI / main").Want(422, "That is not its name.")
	one.Submit(where+"/delete", "confirm", "CI").WantTo(path + "/secrets")
	p.Get(path+"/secrets").Want(200, "Deleted CI.", "No secrets")
	p.Get(where).Want(404)

	settings := p.Get(path)
	settings.Submit(path+"/delete", "confirm", "Shop").Want(422, "That is not its name. Nothing was deleted.")
	if _, err := f.Admin.Client(t.Context(), c.ID); err != nil {
		t.Error(err)
	}
	settings.Submit(path+"/delete", "confirm", "Shop & Söhne").WantTo(list)
	p.Get(list).Want(200, "Deleted Shop & Söhne.")
	p.Get(path).Want(404)
}

// A viewer looks, and changes nothing by any route.
func TestViewer(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	_, secret := f.Admin.NewSecret("CI", time.Time{})
	path, before := create(f, store.Client{Name: "Nightly", Type: store.Machine, Secrets: []store.ClientSecret{secret}})
	p := f.Operator(store.RoleViewer)
	token := p.Get(path).Want(200, "Your role can look at this").Form("/console/sign-out").Get("t")
	one := path + "/secrets/" + secret.ID.String()
	for _, to := range []string{list, path, path + "/delete", path + "/secrets", one, one + "/delete", path + "/branding", path + "/roles"} {
		p.Post(to, url.Values{"t": {token}, "once": {"once"}, "for": {"flask"}, "name": {"Mine"}, "confirm": {"Nightly"}, "role": {store.ManagementRole}}).Want(403)
	}
	after, err := f.Admin.Client(t.Context(), before.ID)
	if err != nil || !after.UpdatedAt.Equal(before.UpdatedAt) {
		t.Errorf("%v: %+v", err, after)
	}
	for _, at := range []string{list + "/new", list + "/new?for=flask", path + "/guide", path + "/secrets", one, path + "/roles"} {
		if body := p.Get(at).Want(200).Body; strings.Count(body, `method="post"`) > 2 {
			t.Errorf("%s offers forms to who can only look", at)
		}
	}
}

// A machine is given roles; one of the management API by an owner only.
func TestRoles(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	path, _ := create(f, store.Client{Name: "Nightly", Type: store.Machine})
	path += "/roles"
	f.Operator(store.RoleAdmin).Get(path).Submit(path, "role", store.ManagementRole).Want(422, "management API")
	p := f.Operator(store.RoleOwner)
	p.Get(path).Submit(path, "role", store.ManagementRole).WantTo(path)
	if has := p.Get(path).Want(200, "Saved.").Form(path)["role"]; len(has) != 1 || has[0] != store.ManagementRole {
		t.Errorf("roles: %v", has)
	}
	p.Get(strings.TrimSuffix(path, "/roles")+"/guide").Want(200, store.ManagementIndicator)
	clerk, err := f.Admin.CreateRole(t.Context(), audit.Command(), store.Role{Name: "clerk", Type: store.MachineRole}, nil)
	f.Must(err)
	mine := p.Get(path)
	p.Get(path).Submit(path, "role", clerk.ID).WantTo(path)
	mine.Submit(path).Want(409).Has("<td><pre>clerk</pre></td>") // by its name
	var last store.Role
	for i := range 200 { // of many the page shows some, and the others stay
		last, err = f.Admin.CreateRole(t.Context(), audit.Command(), store.Role{Name: fmt.Sprint("role ", i), Type: store.MachineRole}, nil)
		f.Must(err)
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(path, list+"/"), "/")
	f.Must(f.Admin.AddClientRoles(t.Context(), audit.Command(), []string{id}, []string{last.ID}))
	p.Get(path).Lacks(last.ID).Submit(path).WantTo(path)
	if has, _, err := f.Admin.ClientRoles(t.Context(), id, store.Listing{Limit: 10}); err != nil || len(has) != 2 {
		t.Errorf("%v: %v", err, has)
	}
	web, _ := create(f, store.Client{Name: "Shop", Type: store.Traditional, PKCE: true})
	p.Get(web + "/roles").Want(404)
	p.Get(strings.TrimSuffix(path, "/roles") + "/branding").Want(404)
}

// The redirect check says where what was sent differs.
func TestRedirectCheck(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	path, c := create(f, store.Client{Name: "Shop", Type: store.Native, PKCE: true, RedirectURIs: []string{"http://127.0.0.1/callback", "shop.example://callback"}})
	p := f.Operator(store.RoleViewer)
	ask := func(sent string) *webtest.Shown {
		return p.Get(path + "/redirects?" + url.Values{"sent": {sent}}.Encode())
	}
	ask("shop.example://callback").Want(200, "letter by letter")
	ask("http://127.0.0.1:4711/callback").Want(200, "any port")
	differs := ask("shop.example://Callback").Want(200, "Not registered")
	if !strings.Contains(differs.Body, "<code>shop.example://<mark>C</mark>allback</code>") || !strings.Contains(differs.Body, "<code>shop.example://<mark>c</mark>allback</code>") {
		t.Error(differs.Body)
	}
	ask(f.Server.URL+"/oidc/auth?client_id="+c.ID+"&redirect_uri=shop.example%3A%2F%2Fcallback").Want(200, "letter by letter")
	if hostile := ask(`"><script>alert(1)</script>`); strings.Contains(hostile.Body, "<script>alert") {
		t.Error(hostile.Body)
	}
}

// The list is searched, narrowed and turned.
func TestList(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	for range 26 {
		create(f, store.Client{Name: "Kiosk", Type: store.Native, PKCE: true})
	}
	create(f, store.Client{Name: "<script>alert(1)</script> 🛒 متجر", Type: store.Machine})
	p := f.Operator(store.RoleViewer)
	all := p.Get(list).Want(200, "Bookstore", "1–25 of 28")
	if body := p.Get(all.Link("Next")).Want(200, "26–28 of 28", "🛒 متجر").Body; strings.Contains(body, "<script>alert") {
		t.Error("a name is no text")
	}
	p.Get(list+"?q=bookst&type=").Want(200, "Bookstore", "1–1 of 1")
	p.Get(list+"?type=native&page=2").Want(200, "26–26 of 26")
	p.Get(list+"?q=zebra").Want(200, "Nothing found")
	if text := p.Get(list + "?type=m2m").Text(); strings.Contains(text, "Bookstore") {
		t.Error(text)
	}
}
