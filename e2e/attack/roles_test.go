package attack_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"
)

// A machine does what its scopes say and no more, whatever ids, fields and pages it sends;
// and nothing any more soon after its role or it itself is gone.
func TestRoleAndIDTricks(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		s := at.replicas[0]
		at.filled()
		ada, eve := at.account("ada@example.com"), at.account("eve@example.com")
		b := at.browser()
		all := s.ManagementToken(s.Machine())
		user := idOf(t, b, all, "/users?search=ada%40example.com")
		resource := ""
		for _, r := range list(t, b, all, "/resources") {
			if r["indicator"] == "https://default.logto.app/api" {
				resource = r["id"].(string)
			}
		}
		scopes := map[string]string{}
		for _, sc := range list(t, b, all, "/resources/"+resource+"/scopes?page_size=100") {
			scopes[sc["name"].(string)] = sc["id"].(string)
		}
		weak := func(names ...string) (c rig.Client, role string, token string) {
			var ids []string
			for _, n := range names {
				if scopes[n] == "" {
					t.Fatalf("no scope %s in %v", n, scopes)
				}
				ids = append(ids, scopes[n])
			}
			name := strings.Join(names, " ")
			role = b.made(all, http.MethodPost, "/roles", map[string]any{"name": name, "type": "MachineToMachine", "scopeIds": ids})["id"].(string)
			c = s.NewClient("--type", "m2m", "--role", name)
			return c, role, b.scoped(c, names...)
		}

		t.Run("scopes", func(t *testing.T) {
			_, _, reader := weak("users:read")
			_, _, writer := weak("roles:write", "applications:write")
			for _, c := range []struct {
				token, method, path string
				body                any
				status              int
			}{
				{reader, "GET", "/users", nil, 200}, {reader, "GET", "/users/" + user, nil, 200}, {reader, "GET", "/applications", nil, 403}, {reader, "PATCH", "/users/" + user, map[string]any{"name": "x"}, 403},
				{reader, "DELETE", "/users/" + user, nil, 403}, {reader, "POST", "/users", map[string]any{"primaryEmail": "x@example.com"}, 403}, {reader, "POST", "/one-time-tokens", map[string]any{"email": "ada@example.com"}, 403}, {reader, "GET", "/logs", nil, 403},
				{reader, "GET", "/connectors", nil, 403}, {reader, "GET", "/hooks", nil, 403}, {reader, "PATCH", "/sign-in-exp", map[string]any{}, 403},
				// Nobody gives away more than they have.
				{writer, "POST", "/roles", map[string]any{"name": "Root", "type": "MachineToMachine", "scopeIds": []string{scopes["all"]}}, 403},
				{writer, "POST", "/roles", map[string]any{"name": "Peeper", "type": "MachineToMachine", "scopeIds": []string{scopes["users:read"]}}, 403},
				{writer, "GET", "/users", nil, 403},
			} {
				if a, _ := b.api(c.token, c.method, c.path, c.body); a.status != c.status {
					t.Errorf("%s %s %v: %d %s, want %d", c.method, c.path, c.body, a.status, a.body, c.status)
				}
			}
			// Asking for more than one has gives no more.
			c, _, _ := weak("hooks:read")
			for _, ask := range []string{"all", "hooks:read all", "hooks:read users:read", "ALL", "*", "hooks:read%20all", "all\x00"} {
				tok := b.scoped(c, ask)
				if tok == "" {
					continue
				}
				if a, _ := b.api(tok, "GET", "/users", nil); a.status != 403 {
					t.Errorf("a token asked for with %q reads people: %d", ask, a.status)
				}
			}
			// A role that has the built-in one's name, a role of people for a machine, and the other way round.
			roles := map[string]string{}
			for _, r := range list(t, b, all, "/roles?page_size=100") {
				roles[r["name"].(string)] = r["id"].(string)
			}
			machineRole := roles["Management API access"]
			if a, _ := b.api(all, "POST", "/users/"+user+"/roles", map[string]any{"roleIds": []string{machineRole}}); a.status/100 != 4 {
				t.Errorf("a person gets a machine's role: %d %s", a.status, a.body)
			}
			if a, _ := b.api(writer, "POST", "/roles/"+machineRole+"/applications", map[string]any{"applicationIds": []string{c.ID}}); a.status != 403 {
				t.Errorf("a weak machine gives the strongest role: %d %s", a.status, a.body)
			}
			if a, _ := b.api(writer, "POST", "/applications/"+s.Machine().ID+"/secrets", map[string]any{"name": "mine"}); a.status != 403 {
				t.Errorf("a weak machine makes itself a secret of the strongest: %d %s", a.status, a.body)
			}
		})

		t.Run("mass assignment", func(t *testing.T) {
			before, _ := b.api(all, "GET", "/users/"+user, nil)
			for _, field := range []string{"id", "createdAt", "updatedAt", "isSuspended", "roles", "isAdmin", "role", "passwordDigest", "identities", "sessions", "tenantId", "__proto__", "constructor", "ID", "Name", "primaryemail"} {
				if a, _ := b.api(all, "PATCH", "/users/"+user, map[string]any{field: "x"}); a.status/100 != 4 {
					t.Errorf("a person's %s is set: %d %s", field, a.status, a.body)
				}
			}
			if after, _ := b.api(all, "GET", "/users/"+user, nil); after.body != before.body {
				t.Errorf("%s became %s", before.body, after.body)
			}
			for _, field := range []string{"id", "secret", "tenantId", "createdAt", "isAdmin", "roles", "ID"} {
				if a, _ := b.api(all, "POST", "/applications", map[string]any{"name": "x", "type": "SPA", field: "x"}); a.status/100 != 4 {
					t.Errorf("an application's %s is set: %d %s", field, a.status, a.body)
				}
			}
			for _, body := range []string{`{"name":"a","name":"b"}`, `{"name":"a","Name":"b"}`, `[{"name":"x"}]`, `"x"`, `{"name":{"$ne":1}}`, `{"name":"x"}{"name":"y"}`, `{"name":"x"} x`, "\ufeff{}", `{"name":"a\u0000b"}`, `{"customData":` + strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000) + "}"} {
				a := b.raw(http.MethodPatch, "/api/users/"+user, body, "Authorization", "Bearer "+all, "Content-Type", "application/json")
				if a.status/100 != 4 {
					t.Errorf("%.60s: %d %.200s", body, a.status, a.body)
				}
			}
		})

		t.Run("ids and pages", func(t *testing.T) {
			for _, id := range []string{"nobody", "..", "%2e%2e", "%2e%2e%2fapplications", ".", "%00", "%ff", "*", "%25", "_", "' OR 1=1 --", "x/../" + user, strings.Repeat("a", 5000), strings.ToUpper(user), user + " ", user + "%00", "%0a" + user, "0", "-1", "null", "[object Object]"} {
				for _, path := range []string{"/users/", "/applications/", "/roles/", "/resources/", "/hooks/", "/connectors/", "/logs/", "/deliveries/", "/suppressions/", "/email-templates/"} {
					escaped := strings.ReplaceAll(id, " ", "%20")
					if a, read := b.api(all, "GET", path+escaped, nil); a.status == http.StatusOK && (read["id"] == user || read["primaryEmail"] != nil || len(read) > 0 && id != "." && id != "..") {
						t.Errorf("GET %s%.40s: %.200s", path, id, a.body)
					}
					if strings.Trim(id, ".") != "" {
						if a, _ := b.api(all, "DELETE", path+escaped, nil); a.status/100 != 4 {
							t.Errorf("DELETE %s%.40s: %d %.200s", path, id, a.status, a.body)
						}
					}
				}
			}
			for _, q := range []string{"page=0", "page=-1", "page_size=0", "page_size=-5", "page_size=101", "page_size=1000000000", "page=99999999999999999999", "page=1e3", "page=0x1", "page=%201", "page=1&page=2", "page[]=1", "after=x", "after=.", "after=-1.x", "before=x", "limit=1", "offset=-1", "unknown=1"} {
				for _, path := range []string{"/users", "/applications", "/roles", "/logs", "/deliveries", "/suppressions", "/hooks", "/resources"} {
					if a, _ := b.api(all, "GET", path+"?"+q, nil); a.status/100 != 4 {
						t.Errorf("GET %s?%s: %d %.100s", path, q, a.status, a.body)
					}
				}
			}
			// The place in one list, in another.
			b.made(all, "POST", "/suppressions", map[string]any{"address": "gone2@example.com"})
			a, _ := b.api(all, "GET", "/suppressions?page_size=1", nil)
			link := a.header.Get("Link")
			_, rest, _ := strings.Cut(link, "before=")
			place, _, _ := strings.Cut(rest, "&")
			place, _, _ = strings.Cut(place, ">")
			if place == "" {
				t.Fatalf("no place in the list: %q", link)
			}
			for _, path := range []string{"/users?after=", "/deliveries?before=", "/suppressions?before=A"} {
				if a, _ := b.api(all, "GET", path+place, nil); a.status/100 != 4 {
					t.Errorf("%s%s: %d %.100s", path, place, a.status, a.body)
				}
			}
		})

		t.Run("other people's sessions", func(t *testing.T) {
			var name string
			for _, f := range ada.send("/account", nil).forms(t) {
				if f.fields.Get("session") != "" {
					name = f.fields.Get("session")
				}
			}
			second := at.browser().ask("ada@example.com")
			if a := second.guess(second.code(1)); a.outcome() != in {
				t.Fatal(a)
			}
			for _, f := range ada.send("/account", nil).forms(t) {
				if f.fields.Get("session") != "" {
					name = f.fields.Get("session")
				}
			}
			if name == "" {
				t.Fatal("no session is named on the account page")
			}
			token := eve.tokens()
			for _, value := range []string{name, "*", "%", "", ada.cookie("idp_session")} {
				eve.post("/account/sessions", url.Values{"t": {token}, "session": {value}}, "Origin", at.endpoint)
			}
			if !ada.isIn("ada@example.com") || !second.isIn("ada@example.com") {
				t.Error("a stranger has ended her session")
			}
		})

		t.Run("after the end", func(t *testing.T) {
			ends := map[string]func(c rig.Client, role string){
				"the role is taken away": func(c rig.Client, role string) {
					b.made(all, "DELETE", "/roles/"+role+"/applications/"+c.ID, nil)
				},
				"the role loses its scope": func(_ rig.Client, role string) {
					b.made(all, "DELETE", "/roles/"+role+"/scopes/"+scopes["logs:read"], nil)
				},
				"the machine is deleted": func(c rig.Client, _ string) { b.made(all, "DELETE", "/applications/"+c.ID, nil) },
			}
			i := 0
			for name, end := range ends {
				i++
				role := b.made(all, http.MethodPost, "/roles", map[string]any{"name": fmt.Sprint("Ending ", i), "type": "MachineToMachine", "scopeIds": []string{scopes["logs:read"]}})["id"].(string)
				c := s.NewClient("--type", "m2m", "--role", fmt.Sprint("Ending ", i))
				token := b.scoped(c, "logs:read")
				if a, _ := b.api(token, "GET", "/logs", nil); a.status != http.StatusOK {
					t.Fatalf("before %s: %d %s", name, a.status, a.body)
				}
				end(c, role)
				began := time.Now()
				for { // each replica asks anew within 5 s
					out := 0
					for range 4 {
						if a, _ := b.api(token, "GET", "/logs", nil); a.status == 401 || a.status == 403 {
							out++
						}
					}
					if out == 4 {
						break
					}
					if time.Since(began) > 10*time.Second {
						t.Errorf("10 s after %s its token still works", name)
						break
					}
					time.Sleep(100 * time.Millisecond)
				}
				t.Logf("%s: out after %s", name, time.Since(began).Round(100*time.Millisecond))
			}
		})
	})
}

// scoped asks for a machine's token with scopes, and gives "" if there is none to be had.
func (b *browser) scoped(c rig.Client, scopes ...string) string {
	b.t.Helper()
	_, body := b.at.replicas[0].Call(c, "/oidc/token", url.Values{"grant_type": {"client_credentials"}, "resource": {"https://default.logto.app/api"}, "scope": {strings.Join(scopes, " ")}})
	token, _ := body["access_token"].(string)
	return token
}

func list(t *testing.T, b *browser, token, path string) (all []map[string]any) {
	t.Helper()
	a, _ := b.api(token, http.MethodGet, path, nil)
	if err := json.Unmarshal([]byte(a.body), &all); err != nil || a.status != http.StatusOK {
		t.Fatalf("%s: %d %s (%v)", path, a.status, a.body, err)
	}
	return all
}

func idOf(t *testing.T, b *browser, token, path string) string {
	t.Helper()
	all := list(t, b, token, path)
	if len(all) != 1 {
		t.Fatalf("%s: %d found", path, len(all))
	}
	return all[0]["id"].(string)
}
