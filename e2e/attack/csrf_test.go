package attack_test

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every form of every page that a person or an operator comes to is posted as another
// site's page could make their browser post it, and with tokens that are somebody else's. None
// does anything; the same form as it is does.
func TestForgedForms(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		at.filled()
		owner, viewer := at.operator("olga@example.com", "owner"), at.operator("victor@example.com", "viewer")
		ada, eve := at.account("ada@example.com"), at.account("eve@example.com")
		pending := at.browser()
		code := pending.ask("ada@example.com")

		forms := owner.crawl("/console")
		if len(forms) < 40 {
			t.Errorf("only %d forms were found in the console: %v", len(forms), slices.Sorted(maps.Keys(forms)))
		}
		state := at.state()
		people := map[*browser]map[string]form{owner: forms, ada: ada.crawl("/account", "/oidc/session/end"), pending: pending.crawl(code.where)}
		for who, forms := range people {
			other := viewer
			if who != owner {
				other = eve
			}
			foreign := other.tokens()
			for where, f := range forms {
				for name, header := range map[string][]string{
					"from another site":   {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
					"from a sister site":  {"Origin", "https://evil.localhost", "Sec-Fetch-Site", "same-site"},
					"from no site at all": {"Origin", "null", "Sec-Fetch-Site", "cross-site"},
					"by an old browser":   {"Origin", "https://evil.example"},
				} {
					if a := who.post(f.action, f.fields, header...); a.status != http.StatusForbidden {
						t.Errorf("%s %s: %s", where, name, a)
					}
				}
				// What a page can do in an old browser whose owner it knows nothing of.
				for name, token := range map[string]string{"without a token": "", "with a made-up token": strings.Repeat("A", 43), "with a token of another person": foreign} {
					forged := url.Values{}
					for k, v := range f.fields {
						forged[k] = v
					}
					if _, bound := forged["r"]; bound { // its token is r, which opens in one browser only
						forged.Set("r", token)
					}
					forged.Set("t", token)
					if a := who.post(f.action, forged, "Origin", "null"); a.status/100 != 4 && !again(a) {
						t.Errorf("%s %s: %s", where, name, a)
					}
				}
			}
		}
		if now := at.state(); now != state {
			t.Errorf("a forged form has changed something: %s", changed(state, now))
		}
		if !ada.isIn("ada@example.com") || !eve.isIn("eve@example.com") {
			t.Error("a forged form has signed somebody out")
		}
		if a := code.guess(code.code(1)); a.outcome() != in {
			t.Errorf("a forged form has used a code up: %s", a)
		}
	})
}

// A viewer posts every form of the console that only an admin or an owner is shown, with her
// own good token, and an admin those of owners: refused, and nothing has changed.
func TestRolesOfTheConsole(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		at.filled()
		owner := at.operator("olga@example.com", "owner")
		forms := owner.crawl("/console")
		for _, role := range []string{"viewer", "admin"} {
			who := at.operator(role+"@example.com", role)
			state := at.state()
			mine, token, refused := who.crawl("/console"), who.tokens(), 0
			for where, f := range forms {
				if _, may := mine[where]; may || strings.HasSuffix(where, "/preview") || role == "admin" && !ownersOnly.MatchString(where) {
					continue
				}
				fields := maps.Clone(f.fields)
				fields.Set("t", token)
				if a := who.post(f.action, fields, "Origin", at.endpoint); a.status != http.StatusForbidden {
					t.Errorf("%s posts %s: %s", role, where, a)
				}
				refused++
			}
			if want := map[string]int{"viewer": 30, "admin": 3}[role]; refused < want {
				t.Errorf("only %d forms were tried as %s", refused, role)
			}
			if now := at.state(); now != state {
				t.Errorf("what %s has posted has changed something: %s", role, changed(state, now))
			}
		}
		// Out of the list, out of the console, on every replica, at the next click.
		victor := at.operator("victor@example.com", "admin")
		at.replicas[0].Run("admin", "remove", "victor@example.com")
		for range 4 {
			if a := victor.send("/console", nil); a.status == http.StatusOK && len(a.forms(t)) > 1 || strings.Contains(a.text(), "victor@example.com") {
				t.Errorf("who is an operator no more is still in: %s", a)
			}
		}
	})
}

var ownersOnly = regexp.MustCompile(`^/console/(settings/people|email|keys)`)

// again tells whether an answer does nothing but ask once more: for a sign-in, for the form.
func again(a answer) bool {
	return a.status == http.StatusSeeOther && !strings.Contains(a.to, "code=") && (strings.HasPrefix(a.to, "/sign-in") || strings.HasPrefix(a.to, "/account") || strings.HasPrefix(a.to, "/console"))
}

// filled makes one of each kind of thing.
func (at *target) filled() {
	at.t.Helper()
	b, token := at.browser(), at.replicas[0].ManagementToken(at.replicas[0].Machine())
	resource := b.made(token, http.MethodPost, "/resources", map[string]any{"name": "Shop API", "indicator": "https://api.shop.example"})["id"].(string)
	scope := b.made(token, http.MethodPost, "/resources/"+resource+"/scopes", map[string]any{"name": "read:orders"})["id"]
	b.made(token, http.MethodPost, "/roles", map[string]any{"name": "Clerk", "type": "User", "scopeIds": []any{scope}})
	b.made(token, http.MethodPost, "/users", map[string]any{"primaryEmail": "grace@example.com"})
	b.made(token, http.MethodPost, "/hooks", map[string]any{"name": "CRM", "events": []string{"User.Created"}, "config": map[string]any{"url": "https://crm.example/hook"}, "enabled": false})
	b.made(token, http.MethodPost, "/suppressions", map[string]any{"address": "gone@example.com"})
}

// state is all that forms of the console could change.
func (at *target) state() string {
	at.t.Helper()
	s := at.replicas[0]
	return s.Run("export") + s.Run("admin", "list") + s.Run("suppression", "list") + s.Run("user", "export") + s.Run("keys", "list")
}

// changed is where two states part.
func changed(before, after string) string {
	i := 0
	for i < min(len(before), len(after)) && before[i] == after[i] {
		i++
	}
	from := max(0, i-80)
	return before[from:min(len(before), i+80)] + "\n became \n" + after[from:min(len(after), i+80)]
}

// tokens is a token of the forms that this browser is shown.
func (b *browser) tokens() string {
	b.t.Helper()
	for _, path := range []string{"/console", "/account"} {
		for _, f := range b.send(path, nil).forms(b.t) {
			if t := f.fields.Get("t"); t != "" {
				return t
			}
		}
	}
	b.t.Fatal("no form with a token")
	return ""
}

var names = regexp.MustCompile(`[0-9A-Za-z_%@.-]*[0-9@%][0-9A-Za-z_%@.-]*|[A-Za-z-]{13,}`)

// crawl follows the links from some pages and gives the forms that are found, two of a kind,
// by where they post to.
func (b *browser) crawl(from ...string) map[string]form {
	b.t.Helper()
	found, kinds, seen := map[string]form{}, map[string]int{}, map[string]bool{}
	section := from[0]
	for len(from) > 0 {
		path := from[0]
		from = from[1:]
		kind := names.ReplaceAllString(path, "*")
		if seen[path] || kinds[kind] >= 2 {
			continue
		}
		seen[path] = true
		kinds[kind]++
		a := b.send(path, nil)
		for _, f := range a.forms(b.t) {
			where, _, _ := strings.Cut(f.action, "?")
			if where == "" {
				where, _, _ = strings.Cut(path, "?")
			}
			if _, ok := found[where]; !ok {
				f.action = where + strings.TrimPrefix(f.action, where)
				found[where] = f
			}
		}
		for _, to := range a.links(b.t) {
			if to, _, _ = strings.Cut(to, "#"); strings.HasPrefix(to, section) {
				from = append(from, to)
			}
		}
	}
	return found
}
