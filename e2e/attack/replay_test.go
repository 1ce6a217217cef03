package attack_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

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
		thief.addressForm("sign-in") // gets one
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

// The database does what it is told, and its answers are lost, then its connections. Whoever
// tries again meanwhile gets no more guesses out of that, no second session and no second grant.
func TestAnswersLost(t *testing.T) {
	t.Parallel()
	at, wire := newWired(t)
	// All connections have been used a moment ago, for just that: a guess is then one message
	// to the database, which is heard, and not the second after one that is not answered.
	warm := at.browser().askAt("register", "eve@example.com")
	used := warm.code(1)
	lost := func(n int, do func(i int), heard func() bool) {
		for range 2 {
			salvo(50, []page{warm}, func(i int) string { return other(i, used) })
			atOnce(50, func(int) string { return at.replicas[0].Redeem(warm.request, used).Error })
		}
		at.outage = true
		wire.Set(rig.Unheard)
		ended := make(chan struct{})
		go func() {
			atOnce(n, func(i int) bool { do(i); return true })
			close(ended)
		}()
		time.Sleep(300 * time.Millisecond) // what was sent has been done,
		for end := time.Now().Add(8 * time.Second); !heard() && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			continue // or will have been, on a busy machine
		}
		wire.Set(rig.Cut)
		<-ended
		wire.Set(rig.Sound)
		time.Sleep(1500 * time.Millisecond) // a connection that was idle for a second is tried before it is used
		at.outage = false
	}
	anything := func() bool { return true }
	lost(0, nil, anything)
	before := at.compared()
	some := func() bool { return at.compared() > before }
	ada := at.browser()
	p := ada.askAt("register", "ada@example.com")
	code := p.code(1)
	for range 4 {
		lost(20, func(i int) { p.guess(other(i, code)) }, some)
	}
	heard := at.compared() - before
	for i := range 6 {
		p.guess(other(i, code))
	}
	t.Logf("80 wrong guesses whose answers were lost, and 6 that were answered: %d and %d were compared", heard, at.compared()-before-heard)
	if n := at.compared() - before; n != 5 || heard == 0 {
		t.Errorf("%d guesses were compared, %d of them while answers were lost; want 5 and some", n, heard)
	}
	if a := p.guess(code); a.outcome() != spent {
		t.Errorf("the right code after them: %s", a)
	}

	p = ada.askAt("register", "bob@example.com")
	code = p.code(1)
	lost(20, func(int) { p.guess(code) }, anything)
	a := p.guess(code)
	if a.outcome() != in {
		t.Fatalf("the right code, when answers are heard again: %s", a)
	}
	if n := ada.sessions(); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
	if again := p.guess(code); again.to != a.to {
		t.Errorf("the same code led to %s and to %s", a.to, again.to)
	}

	lost(20, func(int) { at.replicas[0].Redeem(p.request, a.authorizationCode(t)) }, anything)
	tok := at.replicas[0].Redeem(p.request, a.authorizationCode(t))
	var grants int
	if err := at.replicas[0].DB().QueryRow(`SELECT COUNT(*) FROM oidc_grant`).Scan(&grants); err != nil {
		t.Fatal(err)
	}
	if grants > 1 || grants == 0 && tok.Error == "" {
		t.Errorf("%d grants of one code, and at last %d %s", grants, tok.Status, tok.Error)
	}
}
