package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/admin"
	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

// What a viewer may post: it looks at something, or ends what is their own.
var viewersToo = []string{"/console/sign-out", "/console/settings/sign-out-everywhere", "/console/sign-in-experience/preview"}

// Where an admin may post nothing: what sends mails and words them, who enters, what signs.
var ownersOnly = []string{"/console/email/", "/console/settings/people/", "/console/settings/test-addresses/", "/console/keys/"}

// route is one of the console's, with something that is there in each of its parameters.
type route struct{ method, pattern, path string }

// routes are all routes of the console.
func routes(f *webtest.Fixture) (found []route) {
	f.Helper()
	ctx, by := f.Context(), audit.Command()
	ada, err := f.Admin.CreateUser(ctx, by, store.User{Email: "ada@example.com"})
	f.Must(err)
	role, err := f.Admin.CreateRole(ctx, by, store.Role{Name: "reader", Type: store.UserRole}, nil)
	f.Must(err)
	resource, err := f.Admin.CreateResource(ctx, by, store.Resource{Name: "Books", Indicator: "https://books.example"})
	f.Must(err)
	scope, err := f.Admin.CreateScope(ctx, by, store.Scope{Resource: resource.ID, Name: "read"})
	f.Must(err)
	hook, err := f.Admin.CreateHook(ctx, by, admin.HookForm{Name: "CRM", Events: []string{"User.Deleted"}, Config: admin.HookConfig{URL: "https://crm.example"}}, "")
	f.Must(err)
	ids := map[string]string{"applications": "shop", "users": ada.ID, "roles": role.ID, "resources": resource.ID, "webhooks": hook.ID, "connectors": "inbox"}
	others := map[string]string{"usage": "SignIn", "locale": "en", "email": webtest.OperatorEmail(store.RoleOwner), "scope": scope.ID}
	f.Must(chi.Walk(f.Handler.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if !strings.HasPrefix(pattern, "/console/") || pattern == "/console/enter" || strings.HasSuffix(pattern, "*") { // who enters is nobody yet
			return nil
		}
		parts := strings.Split(pattern, "/")
		for i, part := range parts {
			name := strings.Trim(part, "{}")
			if name == part {
				continue
			}
			parts[i] = others[name]
			if parts[i] == "" {
				parts[i] = ids[parts[i-1]]
			}
			if parts[i] == "" {
				parts[i] = "0193e5a0-7c00-7000-8000-000000000000"
			}
		}
		found = append(found, route{method, pattern, strings.Join(parts, "/")})
		return nil
	}))
	if len(found) < 100 {
		f.Fatalf("%d routes were found", len(found))
	}
	return found
}

// rows is all that the database holds, but for what moves by itself.
func rows(f *webtest.Fixture) string {
	f.Helper()
	read := func(query string, args ...any) (out []string) {
		f.Must(f.Outage.Read(f.Context(), query, args, func(scan func(...any) error) error {
			var s string
			err := scan(&s)
			out = append(out, s)
			return err
		}))
		return out
	}
	var all strings.Builder
	for _, table := range read(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`) {
		if table == "console_session" || table == "replica" || table == "connector_health" { // when it was last used, and told of
			continue
		}
		var columns []string
		for _, c := range read(`SELECT name FROM pragma_table_info($1)`, table) {
			columns = append(columns, `quote("`+c+`")`)
		}
		fmt.Fprintln(&all, table, read(`SELECT `+strings.Join(columns, `||','||`)+` FROM "`+table+`" ORDER BY 1`))
	}
	return all.String()
}

// unchanged tells that something has left the database as it was.
func unchanged(f *webtest.Fixture, do func()) {
	f.Helper()
	before := rows(f)
	do()
	if after := rows(f); after != before {
		b, a := strings.Split(before, "\n"), strings.Split(after, "\n")
		for i := range a {
			if a[i] != b[i] {
				same := 0
				for same < min(len(a[i]), len(b[i])) && a[i][same] == b[i][same] {
					same++
				}
				f.Errorf("%.20s: … %.300q is now %.300q", b[i], b[i][same:], a[i][same:])
			}
		}
	}
}

func tokenOf(p *webtest.Person) string {
	p.Helper()
	return p.Get("/console").Form("/console/sign-out").Get("t")
}

// sent is a form that could be any of the console's.
func sent(token string) url.Values {
	return url.Values{"t": {token}, "once": {"once"}, "name": {"Mallory"}, "email": {"mallory@example.com"}, "address": {"ada@example.com"}, "role": {"owner"}, "confirm": {"ada@example.com"}, "do": {"save"}, "_method": {"DELETE"}}
}

const notYours = "Your role does not allow this"

// A viewer changes nothing, by any route, method or spelling of it.
func TestViewersChangeNothing(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Operator(store.RoleOwner)
	p := f.Operator(store.RoleViewer)
	all, token := routes(f), tokenOf(p)
	settle(f)
	unchanged(f, func() {
		for _, r := range all {
			if slices.Contains(viewersToo, r.pattern) {
				continue
			}
			if r.method == http.MethodGet {
				// A page does not become a form by what a request says of itself.
				p.Headers.Set("X-HTTP-Method-Override", "POST")
				query := sent(token)
				query.Set("_method", "POST")
				if r.pattern == "/console/why" { // a look at a person is written down
					query.Del("email")
				}
				p.Get(r.path + "?" + query.Encode())
				p.Headers.Del("X-HTTP-Method-Override")
				p.Do(http.MethodHead, r.path, nil)
				continue
			}
			p.Post(r.path, sent(token)).Want(http.StatusForbidden, notYours)
			cut := strings.LastIndexByte(r.path, '/') + 1
			encoded := r.path[:cut] + fmt.Sprintf("%%%02X", r.path[cut]) + r.path[cut+1:]
			for _, spelled := range []string{r.path + "/", strings.ToUpper(r.path), "/console/" + r.path[len("/console"):], "/x/.." + r.path, r.path + ";a=b", r.path + "%00", encoded} {
				if got := p.Post(spelled, sent(token)); got.Status < 300 || got.Status >= 500 {
					t.Errorf("POST %s: %d", spelled, got.Status)
				}
			}
			for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, "post"} {
				if got := p.Do(method, r.path, sent(token)); got.Status < 300 || got.Status >= 500 {
					t.Errorf("%s %s: %d", method, r.path, got.Status)
				}
			}
		}
	})
}

// An admin changes nothing that is an owner's.
func TestAdminsChangeNothingOfOwners(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Operator(store.RoleOwner)
	p := f.Operator(store.RoleAdmin)
	all, token, n := routes(f), tokenOf(p), 0
	settle(f)
	unchanged(f, func() {
		for _, r := range all {
			if r.method != http.MethodPost || !slices.ContainsFunc(ownersOnly, func(prefix string) bool { return strings.HasPrefix(r.pattern, prefix) }) {
				continue
			}
			n++
			p.Post(r.path, sent(token)).Want(http.StatusForbidden, notYours)
		}
	})
	if n < 10 {
		t.Errorf("%d routes were tried", n)
	}
}

// No form is taken from another site, another browser, or somebody who is not signed in.
func TestFormsAreOurs(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleOwner)
	all, own := routes(f), tokenOf(p)
	other := f.Operator(store.RoleAdmin)
	others := tokenOf(other)
	other.Get("/console").Submit("/console/sign-out")
	settle(f)
	unchanged(f, func() {
		for _, r := range all {
			if r.method != http.MethodPost {
				continue
			}
			for _, token := range []string{"", "x", others} {
				p.Post(r.path, sent(token)).Want(http.StatusForbidden)
			}
			other.Post(r.path, sent(others)).Want(http.StatusForbidden, "Your sign-in to the console has ended")
			for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
				p.Headers.Set(name, value)
				p.Post(r.path, sent(own)).Want(http.StatusForbidden)
				p.Headers.Del(name)
			}
		}
	})
}

// settle waits until what signing in has left to be done in the background is done: it is written
// down of each mail that it was sent.
func settle(f *webtest.Fixture) {
	f.Helper()
	waiting := func() (n int) {
		f.Must(f.Outage.Read(f.Context(), `SELECT COUNT(*) FROM mail WHERE state = $1`, []any{int(store.MailQueued)}, func(scan func(...any) error) error { return scan(&n) }))
		return n
	}
	for end := time.Now().Add(30 * time.Second); waiting() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			f.Fatal("mails are not sent")
		}
	}
	for last, same := "", 0; same < 3; time.Sleep(50 * time.Millisecond) {
		now := rows(f)
		if now == last {
			same++
		} else {
			last, same = now, 0
		}
	}
}
