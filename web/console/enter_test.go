package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

// Whoever is there enters with a code of 8 digits, in a session that is the console's alone.
func TestEnter(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleOwner)
	p.Get("/console").Want(200).Has("Get started").Has("owner@operators.example")
	if code := f.Code("owner@operators.example", 1); len(code) != 8 {
		t.Errorf("the code is %q", code)
	}
	if mail := f.Mail("owner@operators.example", 1); mail.Link != "" {
		t.Error("the mail has a link that signs in: " + mail.Link)
	}
	if to := p.Get("/account").Want(200); !strings.Contains(to.Body, `action="/sign-in"`) {
		t.Error("the console's session lets into the account page")
	}
	other := f.Person()
	other.Get("/console").Want(200).Has(`action="/sign-in"`)

	out := p.Get("/console").Submit("/console/sign-out")
	if out.Status != http.StatusSeeOther {
		t.Fatal(out.Status)
	}
	p.Get("/console").Want(200).Has(`action="/sign-in"`)
}

// A stranger is told so after a right code only, and makes no account by it.
func TestStrangersDoNotEnter(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	code := p.Get("/console").Submit("/sign-in", "email", "mallory@example.com").Follow()
	code.Submit("/verify", "code", "00000000").Want(http.StatusUnprocessableEntity)
	code.Submit("/verify", "code", "000000").Want(http.StatusUnprocessableEntity).Has("8")
	code.Submit("/verify", "code", f.Code("mallory@example.com", 1)).Want(http.StatusForbidden).Has("may not enter the console")
	p.Get("/console").Want(200).Has(`action="/sign-in"`)
	if _, err := f.Admin.UserByEmail(t.Context(), "mallory@example.com"); store.CodeOf(err) != store.NotFound {
		t.Errorf("an account was made: %v", err)
	}
}

// A session of the console ends when nobody uses it, in any case after 12 hours, and with
// what made it possible.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	in := `action="/console/sign-out"`
	for name, c := range map[string]struct {
		end func(*webtest.Fixture, store.User)
		out bool
	}{
		"used": {func(f *webtest.Fixture, _ store.User) { f.DB.AdvanceForTest(29 * time.Minute) }, false},
		"idle": {func(f *webtest.Fixture, _ store.User) { f.DB.AdvanceForTest(31 * time.Minute) }, true},
		"removed": {func(f *webtest.Fixture, _ store.User) {
			f.Must(f.Admin.RemoveOperator(f.Context(), audit.Command(), webtest.OperatorEmail(store.RoleAdmin)))
		}, true},
		"suspended": {func(f *webtest.Fixture, u store.User) {
			_, err := f.Admin.SuspendUser(f.Context(), audit.Command(), u.ID, time.Time{}, true)
			f.Must(err)
		}, true},
		"deleted": {func(f *webtest.Fixture, u store.User) {
			f.Must(f.Admin.DeleteUser(f.Context(), audit.Command(), u.ID, time.Time{}))
		}, true},
		"signed out everywhere": {func(f *webtest.Fixture, u store.User) {
			f.Must(f.DB.EndSessions(f.Context(), store.Ending{User: u.ID}))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := webtest.New(t)
			f.Must(f.Admin.AddOperator(t.Context(), audit.Command(), "boss@example.com", store.RoleOwner))
			p := f.Operator(store.RoleAdmin)
			p.Get("/console").Want(200).Has(in)
			u, err := f.Admin.UserByEmail(t.Context(), store.Email(webtest.OperatorEmail(store.RoleAdmin)))
			f.Must(err)
			c.end(f, u)
			if out := !strings.Contains(p.Get("/console").Body, in); out != c.out {
				t.Errorf("out: %t", out)
			}
		})
	}
	f := webtest.New(t)
	p := f.Operator(store.RoleOwner)
	for range 25 {
		f.DB.AdvanceForTest(29 * time.Minute)
		p.Get("/console")
	}
	if strings.Contains(p.Get("/console").Body, in) {
		t.Error("12 hours did not end it")
	}
}

// A link lets in once, in the browser whose button was pressed.
func TestLink(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Must(f.Admin.AddOperator(t.Context(), audit.Command(), "ada@example.com", store.RoleOwner))
	link := func() string {
		secret, _, err := f.Admin.CreateConsoleLink(t.Context(), audit.Command(), "ada@example.com")
		f.Must(err)
		return "/console/enter?t=" + secret
	}
	to := link()
	p, thief := f.Person(), f.Person()
	p.Get(to).Want(200)
	page := p.Get(to).Want(200) // looking uses nothing up
	form := page.Form("/console/enter")
	thief.Get("/console")
	thief.Post("/console/enter", form).Want(200) // another browser's form: the button again
	twin := page.Submit("/console/enter")
	if twin.Location() != f.Server.URL+"/console" {
		t.Fatal(twin.Status, twin.Location())
	}
	page.Submit("/console/enter").Follow().Want(200).Has("ada@example.com") // a double click
	thief.Get(to).Submit("/console/enter").Want(http.StatusGone).Has("opens nothing")
	f.Person().Get("/console/enter?t=nothing").Submit("/console/enter").Want(http.StatusGone)
	late := link()
	f.DB.AdvanceForTest(11 * time.Minute)
	f.Person().Get(late).Submit("/console/enter").Want(http.StatusGone)
	gone := link()
	f.Must(f.Admin.AddOperator(t.Context(), audit.Command(), "bob@example.com", store.RoleOwner))
	f.Must(f.Admin.RemoveOperator(t.Context(), audit.Command(), "ada@example.com"))
	f.Person().Get(gone).Submit("/console/enter").Want(http.StatusGone)
}

// What is not the form of a page, of this browser, by somebody who may, changes nothing.
func TestForeignForms(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleOwner)
	form := p.Get("/console").Form("/console/sign-out")
	p.Post("/console/sign-out", url.Values{}).Want(http.StatusForbidden).Has("out of date")
	other := f.Operator(store.RoleViewer)
	other.Post("/console/sign-out", form).Want(http.StatusForbidden).Has("out of date")
	p.Headers.Set("Sec-Fetch-Site", "cross-site")
	p.Post("/console/sign-out", form).Want(http.StatusForbidden)
	p.Headers.Del("Sec-Fetch-Site")
	p.Get("/console").Has("/console/sign-out")

	f.DB.AdvanceForTest(31 * time.Minute)
	form.Set("name", `<script>"&`)
	ended := p.Post("/console/sign-out", form).Want(http.StatusForbidden).Has("has ended")
	again := ended.Form("/console/sign-out")
	if again.Get("name") != `<script>"&` {
		t.Errorf("what was typed is lost: %v", again)
	}

	// The next person in the same browser does not send what the one before had open.
	f.Must(f.Admin.AddOperator(t.Context(), audit.Command(), "next@example.com", store.RoleOwner))
	code := p.Get("/console").Submit("/sign-in", "email", "next@example.com").Follow()
	code.Submit("/verify", "code", f.Code("next@example.com", 1)).Follow().Want(200).Has("next@example.com")
	p.Post("/console/sign-out", again).Want(http.StatusForbidden).Has("out of date")
	p.Get("/console").Has("next@example.com")
}

// A form of who is not signed in is not read further than it has to be.
func TestStrangersSendLittle(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleOwner)
	form := p.Get("/console").Form("/console/sign-out")
	form.Set("name", strings.Repeat("x", 100<<10))
	f.Person().Post("/console/sign-out", form).Want(http.StatusRequestEntityTooLarge)
	stolen := f.Person()
	stolen.Headers.Set("Cookie", "idp_browser="+strings.Repeat("A", 43)+"; idp_console="+strings.Repeat("A", 43))
	stolen.Post("/console/sign-out", form).Want(http.StatusRequestEntityTooLarge).Has("Sign in in another tab")
	p.Post("/console/sign-out", form).Want(http.StatusSeeOther)
}

// Without a database there is a page that says so.
func TestOutage(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleOwner)
	blank := p.Get("/console/roles/new")
	f.Outage.On.Store(true)
	down := p.Get("/console").Want(http.StatusServiceUnavailable).Has("does not answer")
	kept := blank.Submit("/console/roles/new", "name", `Clerk "<b>`, "description", "Sells").Want(http.StatusServiceUnavailable, "Send what I entered")
	if down.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	f.Outage.On.Store(false)
	kept.Submit("/console/roles/new").Follow().Want(200, `Clerk "<b>`)
	p.Get("/console").Want(200)
	p.Get("/console/nowhere").Want(http.StatusNotFound).Has("nothing here")
}
