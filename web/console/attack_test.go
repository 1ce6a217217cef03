package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

const (
	boss    = "boss@example.com"
	outside = "Sign in to the console"
)

// withBoss is a fixture with an owner who has not been here yet.
func withBoss(t *testing.T) *webtest.Fixture {
	t.Helper()
	f := webtest.New(t)
	f.Must(f.Admin.AddOperator(t.Context(), audit.Command(), boss, store.RoleOwner))
	return f
}

// asked is the code page of a sign-in to the console.
func asked(p *webtest.Person, email string) *webtest.Shown {
	p.Helper()
	return p.Get("/console").Want(200, outside).Submit("/sign-in", "email", email).Follow().Want(200)
}

// An app's code opens no console and the console's no app, whichever form they are typed into.
func TestCodesKeepToTheirPurpose(t *testing.T) {
	t.Parallel()
	f := withBoss(t)
	p := f.Person().SignedUp(boss)
	app := p.Get(webtest.Authorize("prompt", "login")).Submit("/sign-in", "email", boss).Follow().Want(200)
	console := asked(p, boss)
	six, eight := f.Code(boss, 2), f.Code(boss, 3)
	if len(six) != 6 || len(eight) != 8 {
		t.Fatal(six, eight)
	}
	for _, typed := range []string{six, "00" + six, six + "00"} {
		console.Submit("/verify", "code", typed).Want(http.StatusUnprocessableEntity)
	}
	app.Submit("/verify", "code", eight).Want(http.StatusUnprocessableEntity)
	// The requests do not go with the other's challenge either.
	mixed := console.Form("/verify", "code", eight)
	mixed.Set("r", app.Form("/verify").Get("r"))
	p.Post("/verify", mixed).Want(http.StatusBadRequest)
	mixed = app.Form("/verify", "code", six)
	mixed.Set("r", console.Form("/verify").Get("r"))
	p.Post("/verify", mixed).Want(http.StatusBadRequest)
	p.Get("/console").Want(200, outside)

	console.Submit("/verify", "code", eight).Follow().Want(200).Has(boss)
	app.Submit("/verify", "code", six).Want(http.StatusSeeOther)
}

// Neither session makes, ends or replaces the other.
func TestSessionsStayApart(t *testing.T) {
	t.Parallel()
	f := withBoss(t)
	p := f.Person().SignedUp("ada@example.com")
	asked(p, boss).Submit("/verify", "code", f.Code(boss, 1)).Follow().Want(200).Has(boss)
	p.Get("/account").Want(200, "ada@example.com")
	p.SignedIn("ada@example.com", 2)
	p.Get("/console").Want(200).Has(boss)
	p.Get("/console").Submit("/console/sign-out")
	p.Get("/account").Want(200, "ada@example.com")
}

// A session is worth something in its browser only, is a new one at each sign-in, and ends
// when the same browser signs in again.
func TestSessionIsTheBrowsers(t *testing.T) {
	t.Parallel()
	f := withBoss(t)
	at, err := url.Parse(f.Server.URL)
	f.Must(err)
	planted := &http.Cookie{Name: "idp_console", Value: strings.Repeat("A", 43), Path: "/"}
	p := f.Person()
	p.HTTP.Jar.SetCookies(at, []*http.Cookie{planted})
	console := func(p *webtest.Person) *http.Cookie {
		all := p.HTTP.Jar.Cookies(at)
		i := slices.IndexFunc(all, func(c *http.Cookie) bool { return strings.Contains(c.Name, "console") })
		if i < 0 {
			t.Fatal("no cookie of the console")
		}
		return all[i]
	}
	asked(p, boss).Submit("/verify", "code", f.Code(boss, 1)).Follow().Want(200).Has(boss)
	first := console(p)
	if first.Value == planted.Value || first.Name != planted.Name {
		t.Errorf("%s: the session was there before", first.Name)
	}
	thief := f.Person()
	thief.Get("/console")
	thief.HTTP.Jar.SetCookies(at, []*http.Cookie{{Name: first.Name, Value: first.Value, Path: "/"}})
	thief.Get("/console").Want(200, outside)

	p.HTTP.Jar.SetCookies(at, []*http.Cookie{{Name: first.Name, MaxAge: -1, Path: "/"}})
	page := asked(p, boss)
	p.HTTP.Jar.SetCookies(at, []*http.Cookie{{Name: first.Name, Value: first.Value, Path: "/"}}) // as a tab that was open
	page.Submit("/verify", "code", f.Code(boss, 2)).Follow().Want(200).Has(boss)
	if console(p).Value == first.Value {
		t.Error("the second sign-in has the session of the first")
	}
	p.HTTP.Jar.SetCookies(at, []*http.Cookie{{Name: first.Name, Value: first.Value, Path: "/"}})
	p.Get("/console").Want(200, outside)
}

// A sign-in ends at an address of the console, whatever was asked for.
func TestSignInEndsInTheConsole(t *testing.T) {
	t.Parallel()
	f := withBoss(t)
	for i, to := range []string{"/console/applications?q=a%26b", "/console//evil.example/", "/console/%2e%2e/%2fevil.example", `/console/\evil.example`, "/console?next=https://evil.example"} {
		p := f.Person()
		f.DB.AdvanceForTest(time.Hour) // there are limits
		in := p.Get(to).Want(200, outside).Submit("/sign-in", "email", boss).Follow().Submit("/verify", "code", f.Code(boss, i+1)).Want(http.StatusSeeOther)
		got, err := url.Parse(in.Location())
		if err != nil || !strings.HasPrefix(in.Location(), f.Server.URL+"/console") || "http://"+got.Host != f.Server.URL {
			t.Errorf("%s leads to %s: %v", to, in.Location(), err)
		}
	}
}

// A page that stood open for long restarts in place, and ends in the console all the same.
func TestOldPageRestarts(t *testing.T) {
	t.Parallel()
	f := withBoss(t)
	p := f.Person()
	page := p.Get("/console/applications").Want(200, outside)
	f.DB.AdvanceForTest(61 * time.Minute)
	afresh := page.Submit("/sign-in", "email", boss).Want(200, outside, "we started afresh")
	code := afresh.Submit("/sign-in", "email", boss).Follow().Want(200)
	f.DB.AdvanceForTest(61 * time.Minute)
	code.Submit("/verify", "code", f.Code(boss, 1)).Want(http.StatusGone)
	in := p.Get("/console/applications").Submit("/sign-in", "email", boss).Follow().Submit("/verify", "code", f.Code(boss, 2))
	in.WantTo(f.Server.URL + "/console/applications")
}

// Who is suspended is told so after a right code, and enters neither with it nor by a link.
func TestSuspendedOperator(t *testing.T) {
	t.Parallel()
	f := withBoss(t)
	p := f.Operator(store.RoleViewer)
	email := webtest.OperatorEmail(store.RoleViewer)
	secret, _, err := f.Admin.CreateConsoleLink(t.Context(), audit.Command(), store.Email(email))
	f.Must(err)
	f.Suspend(email)
	p.Get("/console").Want(200, outside)
	asked(p, email).Submit("/verify", "code", f.Code(email, 2)).Want(http.StatusForbidden)
	p.Get("/console").Want(200, outside)
	p.Get("/console/enter?t=" + secret).Submit("/console/enter").Want(http.StatusGone)
	if _, _, err := f.Admin.CreateConsoleLink(t.Context(), audit.Command(), store.Email(email)); store.CodeOf(err) != store.NotFound {
		t.Errorf("a link is made for who is suspended: %v", err)
	}
}

// Who did not ask for the mail throws out whoever entered with its code.
func TestNotMeLeavesTheConsole(t *testing.T) {
	t.Parallel()
	f := withBoss(t)
	thief := f.Person()
	asked(thief, boss).Submit("/verify", "code", f.Code(boss, 1)).Follow().Want(200).Has(boss)
	f.Person().Get(f.NotMe(f.Mail(boss, 1))).Submit("/not-me").Want(200, "Somebody had signed in")
	thief.Get("/console").Want(200, outside)
}

// Without a database a link says so, and is worth as much afterwards.
func TestLinkDuringOutage(t *testing.T) {
	t.Parallel()
	f := withBoss(t)
	secret, _, err := f.Admin.CreateConsoleLink(t.Context(), audit.Command(), boss)
	f.Must(err)
	p := f.Person()
	page := p.Get("/console/enter?t=" + secret).Want(200)
	f.Outage.On.Store(true)
	page.Submit("/console/enter").Want(http.StatusServiceUnavailable)
	f.Outage.On.Store(false)
	p.Do(http.MethodHead, "/console/enter?t="+secret, nil).Want(200)
	page.Submit("/console/enter").Follow().Want(200).Has(boss)
	// Of whoever enters first the audit log has both: how, and that there is an account now.
	for _, kind := range []string{"console.signed_in", "user.registered"} {
		if found, _, err := f.Admin.Logs(t.Context(), store.EventFilter{Kind: kind}, 0, 10); err != nil || len(found) != 1 {
			t.Errorf("%d entries of %s: %v", len(found), kind, err)
		}
	}
	// What is no link shows as text, wherever the page has it.
	p.Get(`/console/enter?t=%22%3E%3Cscript%3Ealert(1)%3C/script%3E%26lang=ja`).Want(200).Lacks("<script>alert")
}
