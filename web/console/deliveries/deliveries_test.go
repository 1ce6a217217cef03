package deliveries_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/store"
	"idp/web/webtest"
)

const root = "/console/deliveries"

func TestMails(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleViewer)
	f.Register("grace@example.com")
	page := p.Get(root).Want(200, "Registration code", "g…@example.com", "In the last 24 hours.")
	if strings.Contains(page.Body, "grace@example.com") {
		t.Error("the list has a whole address")
	}
	found := p.Get(root+"?to="+url.QueryEscape("grace@example.com")).Want(200, "Registration code")
	if strings.Contains(found.Text(), "Sign-in code viewer") || strings.Count(found.Body, "<tr>") != 2 {
		t.Errorf("others are found, too: %s", found.Text())
	}
	at := strings.Index(found.Body, root+"/A")
	id := found.Body[at : at+strings.IndexByte(found.Body[at:], '"')]
	p.Get(id).Want(200, "grace@example.com", "Asked for, and queued", "A mail cannot be sent again from here").
		Has(`href="/console/why?email=grace%40example.com"`)
	sent := p.Get(id)
	for end := time.Now().Add(30 * time.Second); strings.Contains(sent.Text(), "Queued") && time.Now().Before(end); sent = p.Get(id) {
		time.Sleep(50 * time.Millisecond)
	}
	sent.Want(200, "Kept in the development mailbox", "nobody outside was sent it").Lacks("The provider has taken it")
	p.Get("/console/why?email=grace%40example.com").Want(200, "What stands in the way now", "Account since")
	p.Get(root+"?state=bounced").Want(200, "No such mail")
	p.Get(root+"?usage=Register").Want(200, "Registration code")
	p.Get(root+"?to=grace").Want(422, "Enter the whole address")
	p.Get(root+"?since=2026-02-01&until=2026-01-01").Want(422, "This is before the first day.")
	p.Get(root + "/x").Want(404)
}

func TestSuppressed(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	const to, note = root + "/suppressed", `<i>left</i> 🎉 مرحبا`
	page := p.Get(to).Want(200, "All addresses take mail")
	page.Submit(to, "address", "nobody", "note", note).Want(422, "That is no mail address.", "Nothing was saved yet")
	if again := page.Submit(to, "address", "nobody", "note", note); again.Form(to).Get("note") != note {
		t.Error("what was typed is gone")
	}
	page.Submit(to, "address", "ada@example.com", "note", strings.Repeat("x", 201)).Want(422)
	list := page.Submit(to, "address", "ada@example.com", "note", note).Follow().Want(200, "ada@example.com takes no mail any more.", "Added by hand", note)
	if strings.Contains(list.Body, "<i>") {
		t.Error("a note is markup")
	}
	page.Submit(to, "address", "ada@example.com").Want(422, "This address is on the list already.")
	p.Get(to+"?q=grace@example.com").Want(200, "This address takes mail")
	p.Get(to+"?q=grace").Want(422, "Enter the whole address")
	one := p.Get(to+"?q=ada@example.com").Want(200, "Added by hand")
	one.Submit(to+"/lift", "confirm", "ada").Want(422, "That is not the address")

	viewer := f.Operator(store.RoleViewer)
	form := one.Form(to+"/lift", "confirm", "ada@example.com")
	own := viewer.Get(to+"?q=ada@example.com").Want(200, "Added by hand")
	if own.HasForm(to + "/lift") {
		t.Error("a viewer has the form")
	}
	form.Set("t", own.Form("/console/sign-out").Get("t"))
	viewer.Post(to+"/lift", form).Want(403)

	one.Submit(to+"/lift", "confirm", "ada@example.com").Follow().Want(200, "Mail is sent to ada@example.com again.", "All addresses take mail")
	p.Get("/console/audit-log?kind=suppression.lifted").Want(200, "Address takes mail again", webtest.OperatorEmail(store.RoleAdmin))
}
