package console_test

import (
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/admin"
	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

var (
	linkTo    = regexp.MustCompile(` href="(/console[^"#]*)"`)
	formTo    = regexp.MustCompile(`(?s)<form[^>]* method="post"[^>]* action="([^"?]*)[^"]*"[^>]*>(.*?)</form>`)
	typedInto = regexp.MustCompile(`<(?:textarea[^>]* name="([^"]+)"|input[^>]* name="([^"]+)" type="(?:text|url|email|number|password)")`)
	box       = regexp.MustCompile(`<input type="checkbox"[^>]* name="([^"]+)"`)
	anID      = regexp.MustCompile(`/[0-9A-Za-z_-]{12,}($|/)`)
	aMail     = regexp.MustCompile(`/templates/[^/]+/[^/]+`)
)

// typos are what a clumsy person puts into a field.
var typos = []string{
	"",
	strings.Repeat("long ", 60<<10),
	`</textarea><script>alert("1")</script> 👩‍👩‍👧 مرحبا "'` + "`",
	"one\ntwo\n\n\tthree",
	"99999999999999999999",
}

// place is a form, and the page that it is on.
type place struct {
	page, action  string
	fields, boxes []string
}

// Whatever is put into whichever field, the answer is either that it was saved, or the form
// again with a reason and all that was typed and ticked in it.
func TestClumsyHands(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	furnish(f)
	p := f.Operator(store.RoleOwner)
	all := places(p)
	if len(all) < 30 {
		t.Fatalf("only %d forms were found", len(all))
	}
	for _, at := range all {
		for _, field := range at.fields {
			for i, typo := range typos {
				page := p.Get(at.page)
				if !page.HasForm(at.action) {
					break // what one form has made, another's page is not about any more
				}
				sent := page.Form(at.action)
				sent.Set(field, typo)
				if i%2 == 1 {
					for _, name := range at.boxes {
						sent.Del(name)
					}
				}
				keeps(at, field, sent, p.Post(page.Action(at.action), sent))
			}
		}
	}
}

// keeps holds the answer to a form to what it has to keep.
func keeps(at place, field string, sent url.Values, got *webtest.Shown) {
	got.Helper()
	if got.Status == http.StatusSeeOther || got.Status == http.StatusCreated {
		return
	}
	if got.Status >= http.StatusInternalServerError || !got.HasForm(at.action) {
		got.Errorf("%s with %s = %.40q: %d, %.200s", at.action, field, sent.Get(field), got.Status, got.Text())
		return
	}
	if got.Status == http.StatusUnprocessableEntity && !strings.Contains(got.Body, `class="error"`) && !regexp.MustCompile(`(?s)class="wrong"[^>]*>\s*<p>[^<]`).MatchString(got.Body) {
		got.Errorf("%s with %s = %.40q does not say why", at.action, field, sent.Get(field))
	}
	again := got.Form(at.action)
	for _, name := range append(slices.Clone(at.fields), at.boxes...) {
		if !slices.Equal(words(again[name]), words(sent[name])) {
			got.Errorf("%s with %s = %.40q: %s was %.60q, is %.60q", at.action, field, sent.Get(field), name, sent[name], again[name])
		}
	}
}

// words leaves the space out, which lists do without.
func words(values []string) (out []string) {
	for _, value := range values {
		out = append(out, strings.Fields(value)...)
	}
	return out
}

// places are all forms of the console that its links lead to, each once.
func places(p *webtest.Person) []place {
	p.Helper()
	seen, found := map[string]bool{}, map[string]place{}
	for next := []string{"/console"}; len(next) > 0; {
		path := next[0]
		next = next[1:]
		page := p.Get(path)
		for _, m := range formTo.FindAllStringSubmatch(page.Body, -1) {
			at := place{page: path, action: m[1]}
			for _, f := range typedInto.FindAllStringSubmatch(m[2], -1) {
				at.fields = append(at.fields, f[1]+f[2])
			}
			for _, b := range box.FindAllStringSubmatch(m[2], -1) {
				at.boxes = append(at.boxes, b[1])
			}
			key := kindOf(m[1]) + " " + strings.Join(at.fields, " ")
			if _, known := found[key]; !known {
				found[key] = at
			}
		}
		for _, m := range linkTo.FindAllStringSubmatch(page.Body, -1) {
			to := html.UnescapeString(m[1])
			if strings.Contains(to, "lang=") || strings.Contains(to, "export") || seen[aMail.ReplaceAllString(to, "")] {
				continue
			}
			seen[aMail.ReplaceAllString(to, "")] = true
			next = append(next, to)
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b place) int { return strings.Compare(a.action, b.action) })
}

// kindOf is an address without what is different in each of a kind.
func kindOf(path string) string {
	return aMail.ReplaceAllString(anID.ReplaceAllString(path, "/ID$1"), "/templates/USAGE/LOCALE")
}

// furnish makes one of everything.
func furnish(f *webtest.Fixture) {
	f.Helper()
	ctx, by := f.Context(), audit.Command()
	for _, c := range []store.Client{
		{Name: "Web", Type: store.Traditional, IDTokenAlg: "ES256", RedirectURIs: []string{"https://web.example/cb"}},
		{Name: "Night", Type: store.Machine, IDTokenAlg: "ES256"},
	} {
		_, kept := f.Admin.NewSecret(admin.DefaultSecret, f.DB.Now().AddDate(1, 0, 0))
		c.Secrets = []store.ClientSecret{kept}
		_, err := f.Admin.CreateClient(ctx, by, c, nil)
		f.Must(err)
	}
	_, err := f.Admin.CreateUser(ctx, by, store.User{Email: "ada@example.com", Name: "Ada"})
	f.Must(err)
	res, err := f.Admin.CreateResource(ctx, by, store.Resource{Name: "Orders", Indicator: "https://orders.example"})
	f.Must(err)
	_, err = f.Admin.CreateScope(ctx, by, store.Scope{Resource: res.ID, Name: "read:orders"})
	f.Must(err)
	_, err = f.Admin.CreateRole(ctx, by, store.Role{Name: "Clerk", Type: store.UserRole}, nil)
	f.Must(err)
	_, err = f.Admin.CreateHook(ctx, by, admin.HookForm{Name: "CRM", Events: []string{"PostSignIn"}, Config: admin.HookConfig{URL: "https://crm.example"}}, "")
	f.Must(err)
}

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
