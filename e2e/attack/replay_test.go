package attack_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"idp/e2e/rig"
)

// sessions counts the sessions that the account page of a browser lists.
func (b *browser) sessions() int {
	b.t.Helper()
	return strings.Count(b.send("/account", nil).body, `<p id="session-`)
}

// 200 right codes at once, at all replicas: one session, one redirect with one code.
func TestRightCodesAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		p := at.browser().askAt("register", "ada@example.com")
		code := p.code(1)
		type result struct {
			status      int
			to, session string
		}
		seen := map[result]int{}
		for _, a := range salvo(200, []page{p}, func(int) string { return code }) {
			seen[result{a.status, a.to, a.header.Get("Set-Cookie")}]++
		}
		if len(seen) != 1 {
			t.Errorf("200 right codes at once: %d different answers, want one: %v", len(seen), seen)
		}
		for r := range seen {
			if !strings.Contains(r.to, "code=") || r.session == "" {
				t.Errorf("answered by %+v", r)
			}
		}
		if n := p.sessions(); n != 1 {
			t.Errorf("200 right codes at once made %d sessions, want 1", n)
		}
	})
}

// 64 redemptions of one authorization code at once: one set of tokens, which then ends,
// because a code that comes twice is in the wrong hands.
func TestRedemptionsAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		p := at.browser().askAt("register", "ada@example.com")
		code := p.guess(p.code(1)).authorizationCode(t)
		var mu sync.Mutex
		var won []rig.Tokens
		seen := atOnce(64, func(int) string {
			tok := at.replicas[0].Redeem(p.request, code)
			if tok.Status == http.StatusOK {
				mu.Lock()
				defer mu.Unlock()
				won = append(won, tok)
			}
			return tok.Error
		})
		if seen[""] != 1 || seen["invalid_grant"] != 63 {
			t.Errorf("64 redemptions at once: %v, want one that gives tokens and 63 invalid_grant", seen)
		}
		living := 0
		for _, tok := range won {
			if status, _ := at.replicas[0].Userinfo(tok.AccessToken); status == http.StatusOK {
				living++
			}
		}
		if living != 0 {
			t.Errorf("%d access tokens outlived the replays", living)
		}
	})
}

// A code that was used is used: by another browser with all that was in the address bar and
// the form, on the next challenge of the same browser, and for whatever it did not do before.
func TestUsedCode(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		ada := at.browser()
		p := ada.askAt("register", "ada@example.com")
		code := p.code(1)
		if a := p.guess(code); a.outcome() != in {
			t.Fatal(a)
		}
		thief := p
		thief.browser = at.browser()
		if a := thief.guess(code); a.outcome() != nothing {
			t.Errorf("in a browser that has no cookie: %s", a)
		}
		thief.browser.addressForm("sign-in") // gets one
		if a := thief.guess(code); a.outcome() != nothing {
			t.Errorf("in another browser: %s", a)
		}
		if n := ada.sessions(); n != 1 {
			t.Errorf("%d sessions after a theft, want 1", n)
		}
		for _, screen := range []string{"sign-in", "register", "recover"} {
			next := ada.askAt(screen, "ada@example.com")
			if fresh := next.code(1); fresh != code {
				if a := next.guess(code); a.outcome() != wrong {
					t.Errorf("on the next challenge (%s): %s", screen, a)
				}
			}
		}
		if a := p.resend(); a.status != http.StatusGone {
			t.Errorf("another code for a challenge that is done: %s", a)
		}
	})
}
