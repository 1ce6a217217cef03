package attack_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"idp/e2e/rig"
)

// What a stranger has begun, or knows, does not become the victim's: cookies that he
// planted, a challenge or a request that he lets her finish; and she does not become him
// by a page that sends his forms from her browser.
func TestFixation(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		at.account("ada@example.com")
		eve := at.account("eve@example.com")

		t.Run("session", func(t *testing.T) {
			// His cookies in her browser, then she signs in.
			victim, before := at.browser(), eve.twin()
			for _, name := range []string{"idp_browser", "idp_session"} {
				if eve.cookie(name) == "" {
					t.Fatalf("there is no cookie %s", name)
				}
				victim.plant(name, eve.cookie(name))
			}
			p := victim.ask("ada@example.com")
			if a := p.guess(p.code(1)); a.outcome() != in {
				t.Fatal(a)
			}
			if victim.cookie("idp_session") == before.cookie("idp_session") {
				t.Error("the session that was planted is hers now")
			}
			if before.isIn("ada@example.com") || !victim.isIn("ada@example.com") {
				t.Error("who planted the cookies is in her account")
			}
			// A value that nobody gave out.
			made := at.browser()
			made.plant("idp_session", strings.Repeat("A", 43))
			p = made.ask("ada@example.com")
			if a := p.guess(p.code(1)); a.outcome() != in || made.cookie("idp_session") == strings.Repeat("A", 43) {
				t.Errorf("a made-up session stays: %s", a)
			}
			// Her session's cookie alone, in a browser that is another.
			if victim.with("idp_session").isIn("ada@example.com") {
				t.Error("the cookie of a session is enough without the browser's")
			}
		})

		t.Run("challenge and request", func(t *testing.T) {
			// He asks for a code to her address and has her type it on his page.
			his, victim := at.browser(), at.browser()
			victim.ask("victim@example.com").code(1) // so that she is known as somebody else, not as nobody
			p := his.ask("ada@example.com")
			code := p.code(1)
			for _, path := range []string{p.where, "/sign-in?r=" + url.QueryEscape(p.verify.fields.Get("r"))} {
				if a := victim.send(path, nil); a.status != http.StatusBadRequest || len(a.forms(t)) > 0 {
					t.Errorf("his page opens in her browser: %s", a)
				}
			}
			stolen := p
			stolen.browser = victim
			if a := stolen.guess(code); a.outcome() != nothing {
				t.Errorf("his challenge takes her code from her browser: %s", a)
			}
			// She answers a request that he began: what comes back goes to the app, and is
			// worth nothing with another verifier than the one that the request was begun with.
			r := at.replicas[0].Request(at.app)
			ada := at.browser()
			q := ada.ask("ada@example.com")
			if a := q.guess(q.code(1)); a.outcome() != in {
				t.Fatal(a)
			}
			a := ada.send(r.Path(), nil)
			if !strings.HasPrefix(a.to, rig.Callback+"&code=") {
				t.Fatalf("no code from her session: %s", a)
			}
			thief := r
			thief.Verifier = strings.Repeat("x", 43)
			if tok := at.replicas[0].Redeem(thief, a.authorizationCode(t)); tok.Status == http.StatusOK {
				t.Error("a code is redeemed without its verifier")
			}
			if tok := at.replicas[0].Redeem(r, a.authorizationCode(t)); tok.Status != http.StatusOK {
				t.Errorf("who tried without the verifier has used the code up: %+v", tok)
			}
		})

		t.Run("login CSRF", func(t *testing.T) {
			// His right code for his own account, posted from her browser by his page.
			his := at.browser().ask("eve@example.com")
			form := his.verify.with("code", his.code(1))
			for name, header := range map[string][]string{
				"from his site":             {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
				"from a sandboxed frame":    {"Origin", "null", "Sec-Fetch-Site", "cross-site"},
				"from a sister domain":      {"Origin", "https://evil.localhost", "Sec-Fetch-Site", "same-site"},
				"by an old browser":         {"Origin", "null"},
				"by one that tells nothing": {},
			} {
				for _, victim := range []*browser{at.browser(), at.account("v" + strings.ToLower(strings.ReplaceAll(name, " ", "")) + "@example.com")} {
					before := victim.cookie("idp_session")
					a := victim.post(his.verify.action, form, header...)
					if a.status != http.StatusForbidden && a.status != http.StatusBadRequest || victim.cookie("idp_session") != before || victim.isIn("eve@example.com") {
						t.Errorf("%s: she is him now: %s", name, a)
					}
				}
			}
			if a := his.guess(his.code(1)); a.outcome() != in {
				t.Errorf("his code does not let himself in, so that it did not let her in says nothing: %s", a)
			}
		})

		t.Run("one-time token", func(t *testing.T) {
			// A link of his that signs in to his account: opening it does nothing.
			token := at.replicas[0].ManagementToken(at.replicas[0].Machine())
			made := eve.made(token, http.MethodPost, "/one-time-tokens", map[string]any{"email": "eve@example.com"})
			r := at.replicas[0].Request(at.app, "one_time_token", made["token"].(string), "login_hint", "eve@example.com")
			victim := at.account("victim@example.com")
			a := victim.send(r.Path(), nil)
			if strings.Contains(a.to, "code=") || victim.isIn("eve@example.com") || !victim.isIn("victim@example.com") {
				t.Fatalf("a link signs in: %s", a)
			}
			for _, f := range a.forms(t) {
				for _, header := range [][]string{{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, {"Origin", "null"}} {
					if a := at.browser().post(f.action, f.fields, header...); a.status/100 != 4 {
						t.Errorf("its button, pressed by a page of his: %s", a)
					}
				}
			}
		})
	})
}
