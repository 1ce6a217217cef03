package attack_test

import (
	"maps"
	"testing"
)

// A code is worth something only in the browser, for the purpose, the request and the
// address that it was asked for. Who carries it elsewhere is told what anybody is, and
// costs its owner nothing.
func TestCrossedCodes(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		at.account("ada@example.com")
		ada := at.browser()
		mine := ada.ask("ada@example.com")
		code := mine.code(1)

		// Somebody else asked for a code to the same address; hers is none of his.
		eve := at.browser()
		his := eve.ask("ada@example.com")
		if his.code(1) != code {
			if a := his.guess(code); a.outcome() != wrong {
				t.Errorf("the owner's code on a stranger's challenge: %s", a)
			}
		}
		// He has her address bar and her form, his cookie, or none.
		for name, b := range map[string]*browser{"another browser": eve, "a browser without a cookie": at.browser()} {
			stolen := mine
			stolen.browser = b
			for range 6 {
				if a := stolen.guess(other(0, code)); a.outcome() != nothing {
					t.Errorf("a wrong code in %s: %s", name, a)
				}
			}
			if a := stolen.guess(code); a.outcome() != nothing {
				t.Errorf("the right code in %s: %s", name, a)
			}
			if a := stolen.resend(); a.outcome() != nothing {
				t.Errorf("another code in %s: %s", name, a)
			}
		}
		// His own request with her challenge, and the other way round.
		for _, mixed := range []page{mixed(eve, his, mine), mixed(eve, mine, his), mixed(ada, his, mine), mixed(ada, mine, his)} {
			if a := mixed.guess(code); a.outcome() != nothing {
				t.Errorf("a request and a challenge that do not belong together: %s", a)
			}
		}
		// Her own other tab, for another purpose.
		recovery := ada.askAt("recover", "ada@example.com")
		if recovery.code(1) != code {
			if a := recovery.guess(code); a.outcome() != wrong {
				t.Errorf("a code to sign in with, at a recovery: %s", a)
			}
		}
		if a := mixed(ada, recovery, mine).guess(code); a.outcome() != nothing {
			t.Errorf("a recovery's request with the challenge of a sign-in: %s", a)
		}
		// After all that, hers is as good as before.
		if a := mine.guess(code); a.outcome() != in {
			t.Errorf("the owner's own code: %s", a)
		}
		if a := his.guess(code); a.outcome() == in {
			t.Errorf("her code, once used, let somebody else in: %s", a)
		}
	})
}

// mixed is the page of one request with the challenge of another, in a browser.
func mixed(b *browser, request, challenge page) page {
	m := request
	m.browser = b
	m.verify.fields = maps.Clone(request.verify.fields)
	m.verify.fields["c"] = challenge.verify.fields["c"]
	return m
}
