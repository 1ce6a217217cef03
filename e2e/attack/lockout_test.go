package attack_test

import (
	"net/http"
	"regexp"
	"testing"
)

// unguessable is a code of 128 bits, as it is mailed.
var unguessable = regexp.MustCompile(`^[0-9A-Z]{5}(-[0-9A-Z]{5,6}){4}$`)

// A stranger spends the guesses of an address, and then its mails. Its owner gets in all
// the same: at once in a browser that was there before, and anywhere else with a code that
// nobody guesses, while there are mails.
func TestLockOut(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		const email = "ada@example.com"
		home := at.account(email) // one mail
		for range 2 {
			stranger := at.browser().ask(email)
			code := stranger.code(1)
			for i := range 5 {
				stranger.guess(other(i, code))
			}
		}
		if n := at.compared(); n != 10 {
			t.Fatalf("%d guesses were compared, want 10", n)
		}
		away := at.browser().ask(email) // the fourth mail
		code := away.code(1)
		if !unguessable.MatchString(code) {
			t.Errorf("once the guesses are spent, a code is %q", code)
		}
		for i := range 8 { // they cost the long one nothing
			if a := away.guess(other(i, "000000")); a.outcome() == in {
				t.Errorf("six digits in the place of it: %s", a)
			}
		}
		if a := away.guess(code); a.outcome() != in {
			t.Errorf("the owner in a new browser: %s", a)
		}
		at.browser().ask(email) // the fifth mail
		for range 20 {
			if p, a := at.browser().tryAt("sign-in", email); p != nil || a.status != http.StatusTooManyRequests {
				t.Errorf("one mail more for a stranger: %s", a)
			}
		}
		for range 3 {
			p := home.ask(email)
			code := p.code(1)
			if len(code) != 6 {
				t.Errorf("at home the code is %q", code)
			}
			if a := p.guess(code); a.outcome() != in {
				t.Errorf("the owner at home: %s", a)
			}
		}
		// What a stranger can do once more to her: nothing that she notices.
		for _, screen := range []string{"register", "recover"} {
			if p, a := at.browser().tryAt(screen, email); p != nil {
				t.Errorf("%s, by a stranger: %s", screen, a)
			}
		}
	})
}
