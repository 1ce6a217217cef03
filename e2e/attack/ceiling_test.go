package attack_test

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Somebody with many networks and addresses has as much mail sent as the operator has said that
// may go. Then all are told the same, whether they have an account or not, at whatever replica,
// also at one that was started since; who has a code signs in, and an operator gets in.
func TestMailCeiling(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		const registered, nobody, owner = "known@example.com", "nobody@example.com", "owner@example.com"
		at.people(registered)
		at.replicas[0].Run("admin", "add", owner)
		early := at.browser().ask(registered)
		code := early.code(1)

		// Each replica looks at the ceiling once a second.
		seen := func() {
			refused := 0
			for deadline := time.Now().Add(30 * time.Second); refused < 6; {
				if time.Now().After(deadline) {
					t.Fatal("codes are given out beyond the ceiling")
				}
				if p, _ := at.browser().tryAt("sign-in", "late"+strconv.FormatInt(time.Now().UnixNano(), 36)+"@example.com"); p == nil {
					refused++
				} else {
					refused = 0
				}
			}
		}
		asked := atOnce(40, func(i int) int {
			_, a := at.browser().tryAt("sign-in", "flood"+strconv.Itoa(i)+"@example.com")
			return a.status
		})
		seen()
		arrived := func() (n int) { // a mail whose sender was killed goes once more
			for to := range at.recipients() {
				n += len(at.mails.To(to))
			}
			return n
		}
		for deadline := time.Now().Add(30 * time.Second); arrived() < 5 && time.Now().Before(deadline); {
			time.Sleep(5 * time.Millisecond)
		}
		differs, want := regexp.MustCompile(`\b\d+ minutes|(?:nonce|state)(?:=|%3D)[0-9A-Z]{26}`), "" // also the app's own state and nonce
		for round := range 2 {
			for _, screen := range slices.Sorted(maps.Keys(screens)) {
				for _, email := range []string{registered, nobody, registered, nobody} {
					b := at.browser()
					_, f := b.addressForm(screen)
					a := b.send(f.action, f.with("email", email))
					if wait, _ := strconv.Atoi(a.header.Get("Retry-After")); a.status != http.StatusTooManyRequests || wait < 60 || !strings.Contains(a.text(), "No more mail can be sent at the moment") {
						t.Fatalf("%s at %s: %s", email, screen, a)
					}
					got := differs.ReplaceAllString(a.blurred(email), "ITS OWN")
					if email == registered {
						want = got
					} else if got != want {
						t.Errorf("%s, round %d: %s", screen, round, difference(got, want))
					}
				}
			}
			for _, s := range at.replicas { // the next round is at processes that have sent nothing
				s.Kill()
				s.Start()
			}
			seen()
		}
		if a := early.guess(code); a.outcome() != in {
			t.Errorf("a code of before: %s", a)
		}
		t.Logf("asked for: %v; %d mails arrived", asked, arrived())
		if n := arrived(); n != 5 {
			t.Errorf("%d mails arrived, 5 may", n)
		}
		at.browser().askConsole("flood@example.com") // who is no operator is shown the same page, and mailed nothing
		p := at.browser().askConsole(owner)
		if a := p.guess(p.code(1)); a.status != http.StatusSeeOther || !strings.HasSuffix(a.to, "/console") {
			t.Errorf("an operator: %s", a)
		}
		if n := at.recipients()["flood@example.com"]; n != 0 {
			t.Errorf("%d mails went beyond the ceiling by the console's sign-in", n)
		}
		if found := at.replicas[0].Run("audit", "list", "--kind", "mail_ceiling.reached", "--json"); strings.Count(found, `"mail_ceiling.reached"`) != 1 {
			t.Errorf("the audit log tells of it: %s", found)
		}
		if said, _ := at.replicas[0].Try("doctor"); !strings.Contains(said, "the ceiling of all mails has been reached") {
			t.Errorf("idp doctor: %s", said)
		}
	}, "IDP_LIMIT_MAILS=5/24h")
}
