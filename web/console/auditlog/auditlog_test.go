package auditlog_test

import (
	"encoding/csv"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/audit"
	"idp/keyring"
	"idp/store"
	"idp/web/webtest"
)

const root = "/console/audit-log"

const hostile = `<b>"Ada"</b> 🎉 مرحبا`

func TestList(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleViewer)
	f.Register("ada@example.com")
	_, err := f.Admin.UpdateClient(t.Context(), audit.Command(), "shop", time.Time{}, func(c *store.Client) error {
		c.RedirectURIs = []string{webtest.Callback, "https://shop.example/third"}
		return nil
	})
	f.Must(err)
	_, err = f.Admin.UpdateClient(t.Context(), audit.Command(), "shop", time.Time{}, func(c *store.Client) error { c.Name = hostile; return nil })
	f.Must(err)
	page := p.Get(root).Want(200, "Made an account at", "Name of "+hostile+" changed", "client.updated", "the command line", "Administrator added")
	if strings.Contains(page.Body, "<b>") {
		t.Error("a name is markup")
	}
	if page.HasForm(root + "/export") {
		t.Error("a viewer can export")
	}

	p.Get(page.Link(`Redirect URIs of "Ada" 🎉 مرحبا changed`)).Want(200, "What changed", "redirectUris", "https://shop.example/third", "https://shop.example/other", "Done by the command line")
	p.Get(root+"?who=ada@example.com").Want(200, "Made an account at", "ada@example.com")
	p.Get(root+"?kind=client.updated&app=shop&by=command").Want(200, "Redirect URIs of")
	p.Get(root+"?by="+webtest.OperatorEmail(store.RoleViewer)).Want(200, "Nothing like this is in the log")
	p.Get(root+"?failed=1").Want(200, "Nothing like this is in the log")
	today := f.DB.Now().UTC().Format(time.DateOnly)
	p.Get(root+"?since="+today+"&until="+today).Want(200, "Made an account at")
	for query, reason := range map[string]string{
		"who=nobody@example.com": "Nobody has this address now.", "by=nobody": "Neither a person’s address",
		"since=yesterday": "Write it as 2026-01-31.", "since=2026-02-01&until=2026-01-01": "This is before the first day.",
	} {
		bad := p.Get(root+"?"+query).Want(422, reason)
		if value := url.QueryEscape(query[strings.Index(query, "=")+1:]); strings.Contains(value, "nobody") && !strings.Contains(bad.Body, "nobody") {
			t.Errorf("%s: what was typed is gone", query)
		}
	}
	p.Get(root + "/x").Want(404)
}

func TestPages(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleViewer)
	for range 70 {
		_, err := f.Admin.UpdateClient(t.Context(), audit.Command(), "shop", time.Time{}, func(c *store.Client) error { c.Description += "x"; return nil })
		f.Must(err)
	}
	first := p.Get(root + "?kind=client.updated").Want(200)
	second := p.Get(first.Link("Next")).Want(200)
	third := p.Get(second.Link("Next")).Want(200)
	if strings.Contains(third.Text(), "Next") || strings.Count(third.Body, "<tr>") != 11 {
		t.Errorf("%d rows on the third page: %s", strings.Count(third.Body, "<tr>"), third.Text())
	}
	if again := p.Get(third.Link("Previous")); again.Text() != second.Text() {
		t.Error("the page before is another one")
	}
	if again := p.Get(p.Get(third.Link("Previous")).Link("Previous")); strings.Contains(again.Text(), "Previous") {
		t.Error("there is something before the first page")
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	f.Register("ada@example.com")
	page := p.Get(root + "?kind=user.registered").Want(200)
	file := p.Post(root+"/export", page.Form(root+"/export", "format", "csv")).Want(200)
	rows, err := csv.NewReader(strings.NewReader(file.Body)).ReadAll()
	f.Must(err)
	if len(rows) < 2 || rows[0][2] != "kind" || rows[1][2] != "user.registered" || !strings.Contains(file.Header.Get("Content-Disposition"), "audit-log.csv") {
		t.Errorf("%q %q", rows, file.Header)
	}
	lines := p.Post(root+"/export", page.Form(root+"/export", "format", "jsonl"))
	if n := strings.Count(lines.Body, "\n"); n != len(rows)-1 || !strings.HasPrefix(lines.Body, `{"id":"`) {
		t.Errorf("%d lines: %s", n, lines.Body)
	}
	p.Get(root+"?kind=audit.exported").Want(200, "Audit log exported", webtest.OperatorEmail(store.RoleAdmin))

	viewer := f.Operator(store.RoleViewer)
	form := page.Form(root+"/export", "format", "csv")
	form.Set("t", viewer.Get(root).Form("/console/sign-out").Get("t"))
	viewer.Post(root+"/export", form).Want(403)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	page := p.Get(root+"/verify").Want(200, "Nothing is chained yet", "None is known", "idp audit verify")
	ring, err := keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	f.Must(err)
	_, err = audit.NewSealer(audit.SealerDeps{Store: f.DB, Ring: ring}).Seal(t.Context())
	f.Must(err)
	page.Submit(root+"/verify").Want(200, "It holds: batches 1 to 1", "Chained up to Batch 1", "Last check of everything It holds")
	p.Get(root+"?kind=audit.verified").Want(200, "Audit log checked")
}
