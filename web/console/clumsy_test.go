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
