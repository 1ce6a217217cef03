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

// What a page offers may be gone when it is chosen, and a program may send what was never
// offered: neither does anything, and the page says so.
func TestChoicesThatAreNone(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	furnish(f)
	p := f.Operator(store.RoleOwner)
	clients, _, err := f.Admin.Clients(t.Context(), store.ClientListing{Listing: store.Listing{Limit: 10}, Types: []store.ClientType{store.Machine}})
	f.Must(err)
	night := "/console/applications/" + clients[0].ID
	role, err := f.Admin.CreateRole(t.Context(), audit.Command(), store.Role{Name: "Sweeper", Type: store.MachineRole}, nil)
	f.Must(err)
	page := p.Get(night+"/roles").Want(200, "Sweeper")
	f.Must(f.Admin.DeleteRole(t.Context(), audit.Command(), role.ID, time.Time{}))
	page.Submit(night+"/roles", "role", role.ID).Want(422, "One of the roles is gone meanwhile.")

	secrets := p.Get(night + "/secrets")
	for _, ends := range []string{"-1", "0", "soon", "99999999999999999999"} {
		secrets.Submit(night+"/secrets", "name", "Second", "ends", ends).Want(422, "Choose one of these.")
	}
	if c, err := f.Admin.Client(t.Context(), clients[0].ID); err != nil || len(c.Secrets) != 1 {
		t.Errorf("there are %d secrets, %v", len(c.Secrets), err)
	}
	u, err := f.Admin.UserByEmail(t.Context(), "ada@example.com")
	f.Must(err)
	access := p.Get("/console/users/" + u.ID + "/access")
	for _, days := range []string{"", "soon", "0", "-1", "213504", "99999999999999999999"} {
		access.Submit("/console/users/"+u.ID+"/link", "days", days).Want(422, "Choose one of these.")
	}
}

// Of two people who edit the same, the second is shown what the first has made of it, in the
// words of the page; what they typed stays, and can be saved over it.
func TestSecondEditors(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	furnish(f)
	p := f.Operator(store.RoleOwner)
	edits := [][2]string{{"Theirs", "Mine"}, {"https://theirs.example/x", "https://mine.example/x"}, {"theirs@example.com", "mine@example.com"}, {"7", "8"}, {`{"theirs":1}`, `{"mine":1}`}, {"#aa0000", "#00aa00"}}
	edited := 0
	for _, at := range places(p) {
		for _, field := range at.fields {
			if field == "to" { // of a test mail, which is not saved
				continue
			}
			for _, edit := range edits {
				page := p.Get(at.page)
				if !page.HasForm(at.action) || page.Form(at.action).Get("version") == "" {
					break
				}
				if page.Submit(at.action, field, edit[0]).Status != http.StatusSeeOther {
					continue // it takes something else
				}
				second := page.Submit(at.action, field, edit[1]).Want(http.StatusConflict, "Somebody else has changed this")
				if n := strings.Count(second.Body, `<th scope="row">`); n != 1 || !slices.Equal(words(second.Form(at.action)[field]), []string{edit[1]}) {
					t.Errorf("%s, %s: %d differences, and %q: %s", at.action, field, n, second.Form(at.action)[field], second.Text())
				}
				second.Submit(at.action).Want(http.StatusSeeOther)
				edited++
				break
			}
		}
	}
	if edited < 30 {
		t.Errorf("only %d fields were edited", edited)
	}
	dark := p.Get("/console/sign-in-experience")
	dark.Submit("/console/sign-in-experience", "color.primaryColor", "#0000aa").Want(http.StatusSeeOther)
	form := dark.Form("/console/sign-in-experience")
	form.Del("color.isDarkModeEnabled")
	p.Post("/console/sign-in-experience", form).Want(http.StatusConflict, "Dark pages Yes No")
}

// Whoever clicks five times makes one thing, and no click ends on an error.
func TestImpatientHands(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	furnish(f)
	p := f.Operator(store.RoleOwner)
	made := 0
	for _, at := range places(p) {
		page := p.Get(at.page)
		if !page.HasForm(at.action) || !page.Form(at.action).Has("once") || page.Form(at.action).Get("version") != "" {
			continue
		}
		fill := []string{"name", "Twice", "primaryEmail", "twice@example.com", "email", "twice@example.com", "indicator", "https://twice.example", "url", "https://twice.example", "c.host", "mail.example.com",
			"c.fromEmail", "twice@example.com", "c.emailAddress", "twice@example.com", "c.url", "https://twice.example", "c.region", "eu-west-1", "code", "246810"}
		sent := page.Form(at.action)
		for i := 0; i < len(fill); i += 2 {
			if slices.Contains(at.fields, fill[i]) {
				sent.Set(fill[i], fill[i+1])
			}
		}
		if sent.Has("confirm") {
			sent.Set("confirm", "CRM") // a new key of the webhook
			if sent.Has("email") {     // an address for tests, typed again: not the one that became an operator's
				sent.Set("email", "review@example.com")
				sent.Set("confirm", "review@example.com")
			}
		}
		if slices.Contains(at.boxes, "events") {
			sent.Set("events", "PostSignIn")
		}
		before := happened(f)
		answers := make(chan *webtest.Shown)
		const clicks = 5
		for range clicks {
			go func() { answers <- p.Post(page.Action(at.action), sent) }()
		}
		shown := 0
		for range clicks {
			got := <-answers
			if got.Status == http.StatusCreated || got.Status == http.StatusOK {
				shown++
			} else if got.Status != http.StatusSeeOther {
				t.Errorf("%s: %d, %.300s", at.action, got.Status, got.Text())
			}
		}
		if n := happened(f) - before; shown > 1 || n != 1 {
			t.Errorf("%s did %d things, and showed a secret %d times", at.action, n, shown)
		}
		made++
	}
	if made < 10 {
		t.Errorf("only %d forms were sent", made)
	}
}

// happened counts the entries of the audit log.
func happened(f *webtest.Fixture) int {
	f.Helper()
	_, n, err := f.Admin.Logs(f.Context(), store.EventFilter{}, 0, 1)
	f.Must(err)
	return n
}

// Whose session ends while they type, signs in again and has it all.
func TestAwayFromTheDesk(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	furnish(f)
	p := f.Operator(store.RoleOwner)
	all := places(p)
	pages := map[string]*webtest.Shown{}
	for _, at := range all {
		pages[at.action] = p.Get(at.page)
	}
	f.DB.AdvanceForTest(31 * time.Minute)
	for _, at := range all {
		page := pages[at.action]
		sent := page.Form(at.action)
		for _, field := range at.fields {
			sent.Set(field, "\n "+typos[2]+"\nof "+field)
		}
		ended := p.Post(page.Action(at.action), sent).Want(http.StatusForbidden, "Your sign-in to the console has ended")
		again := ended.Form(at.action)
		for _, name := range append(slices.Clone(at.fields), at.boxes...) {
			if !slices.Equal(again[name], sent[name]) {
				t.Errorf("%s: %s was %.60q, is %.60q", at.action, name, sent[name], again[name])
			}
		}
	}
}

// What is no form is answered as such, and does nothing.
func TestBrokenHands(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	furnish(f)
	p := f.Operator(store.RoleOwner)
	good := p.Get("/console/roles/new").Form("/console/roles/new", "name", "Broken")
	before := happened(f)
	body := good.Encode()
	for _, c := range []struct {
		kind, body string
		status     int
	}{
		{"application/x-www-form-urlencoded", body + "&description=%00", 400},
		{"application/x-www-form-urlencoded", body + "&description=%ff%fe", 400},
		{"application/x-www-form-urlencoded", body + "&description=%zz", 400},
		{"application/x-www-form-urlencoded", body + ";description=x", 400},
		{"application/x-www-form-urlencoded", body + strings.Repeat("&x=1", 2001), 400},
		{"application/x-www-form-urlencoded", body + "&description=" + strings.Repeat("x", 2<<20), 413},
		{"application/json", `{"name":"Broken","name":"Twice"}`, 400},
		{"text/plain", body, 400},
		{"", body, 400},
		{"multipart/form-data", body, 400},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\nnever ends", 400},
		{"application/x-www-form-urlencoded", "", 403},
		{"application/x-www-form-urlencoded", strings.Replace(body, "t=", "t=x", 1), 403},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.Server.URL+"/console/roles/new", strings.NewReader(c.body))
		f.Must(err)
		r.Header = p.Headers.Clone()
		r.Header.Set("Content-Type", c.kind)
		res, err := p.HTTP.Do(r)
		f.Must(err)
		f.Must(res.Body.Close())
		if res.StatusCode != c.status {
			t.Errorf("%s %.60s…: %d, want %d", c.kind, c.body, res.StatusCode, c.status)
		}
	}
	if n := happened(f) - before; n != 0 {
		t.Errorf("%d things were done", n)
	}
	p.Post("/console/roles/new", url.Values{"t": {good.Get("t"), "x"}, "name": {"Once", "Twice"}, "type": {"User", "Ghost"}, "unknown": {"x"}}).Want(http.StatusSeeOther)
	if _, total, err := f.Admin.Roles(t.Context(), store.RoleListing{Listing: store.Listing{Search: "Once", Limit: 1}}); err != nil || total != 1 {
		t.Errorf("%d roles, %v: the first of repeated fields counts", total, err)
	}
}

// A second click on saving is not somebody else.
func TestSavingTwice(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	furnish(f)
	p := f.Operator(store.RoleOwner)
	page := p.Get("/console/applications/shop")
	for i, status := range []int{http.StatusSeeOther, http.StatusConflict} {
		if got := page.Submit("/console/applications/shop", "name", "Books").Want(status); i == 1 {
			got.Want(status, "What stands here is saved already.").Lacks("while you were editing")
		}
	}
}

// Who goes back after making something, and makes another one, gets another one.
func TestBackAndAgain(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleOwner)
	blank := p.Get("/console/roles/new")
	first := blank.Submit("/console/roles/new", "name", "First").Want(http.StatusSeeOther).Location()
	if again := blank.Submit("/console/roles/new", "name", "First").Want(http.StatusSeeOther).Location(); again != first {
		t.Errorf("the same once more leads to %s, want %s", again, first)
	}
	if second := blank.Submit("/console/roles/new", "name", "Second").Want(http.StatusSeeOther).Location(); second == first {
		t.Error("the second is not made, and nothing says so")
	}
}

// What a connector's settings cannot be read for stands beside the field that it is about.
func TestConnectorReasonsStandBesideTheirField(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleOwner)
	const smtp = "/console/email/connectors/smtp"
	page := p.Get(smtp)
	for field, typed := range map[string][2]string{
		"c.port": {"99999999999999999999", "Has to be a number from 1 to 65535"}, "c.dkim": {"7", "Cannot be of the JSON type number."}, "config": {`{"a": 1}`, `There is no setting "a".`},
	} {
		wrong := page.Submit(smtp, "c.host", "mail.example.com", "c.fromEmail", "shop@example.com", field, typed[0]).Want(422, typed[1]).Lacks("Go struct")
		if beside := `id="f-` + strings.ReplaceAll(field, ".", "-") + `-error"`; field != "config" {
			wrong.Has(beside)
		}
	}
}
