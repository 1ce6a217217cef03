package otp_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/otp"
	"idp/store"
)

var long = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){3}-[0-9A-HJKMNP-TV-Z]{6}$`)

// home gives an attempt in a browser that has signed in to the address.
func (f *fixture) home(email store.Email) store.Attempt {
	f.t.Helper()
	a := attempt(email, "198.51.100.1")
	id, code := f.begin(a)
	if o := f.verify(id, a, code); o != store.OutcomeAccepted {
		f.t.Fatal(o)
	}
	return a
}

// another is a new attempt in the same browser.
func another(a store.Attempt) store.Attempt {
	a.Request = store.NewID(time.Now())
	return a
}

// spendGuesses has strangers guess on an address until its budget is spent.
func (f *fixture) spendGuesses(email store.Email) {
	f.t.Helper()
	for n := range 5 {
		a := attempt(email, fmt.Sprintf("203.0.113.%d", n))
		id, code := f.begin(a)
		for range 4 {
			switch o := f.verify(id, a, wrongFor(code)); o {
			case store.OutcomeWrong:
			case store.OutcomeLimited:
				return
			default:
				f.t.Fatal(o)
			}
		}
	}
	f.t.Fatal("the budget of guesses is not spent")
}

// A stranger spends the mails and the guesses of an address. Its owner signs in at once
// where they have signed in before, and with a long code anywhere else.
func TestStrangerLocksNobodyOut(t *testing.T) {
	t.Parallel()
	f := setup(t, func(c *otp.Config) { c.Limits.RecipientSends = []store.Window{{Count: 8, Period: time.Hour}} })
	home := f.home("ada@example.com")
	f.spendGuesses("ada@example.com")

	away := attempt("ada@example.com", "198.51.100.7")
	id, code := f.begin(away)
	if !long.MatchString(code) {
		t.Fatalf("code %q", code)
	}
	for _, wrong := range []string{strings.Repeat("7", 26), strings.Replace(code, code[:1], map[bool]string{true: "2", false: "3"}[code[0] == '3'], 1)} {
		if o := f.verify(id, away, wrong); o != store.OutcomeWrong {
			t.Errorf("%s: %d", wrong, o)
		}
	}
	if o := f.verify(id, away, code); o != store.OutcomeAccepted {
		t.Errorf("the long code: %d", o)
	}

	for { // until there are no mails for strangers, either
		if _, err := f.engine.Begin(t.Context(), attempt("ada@example.com", "203.0.113.99")); store.CodeOf(err) == store.Limited {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	next := another(home)
	id, code = f.begin(next)
	if len(code) != 6 {
		t.Errorf("a known browser's code is %q", code)
	}
	if o := f.verify(id, next, code); o != store.OutcomeAccepted {
		t.Errorf("the owner at home: %d", o)
	}
}

// Codes that were mailed before the budget was spent are refused, and the next one of the
// same challenge is long.
func TestNextCodeIsLong(t *testing.T) {
	t.Parallel()
	f := setup(t, func(c *otp.Config) { c.Limits.RecipientSends = nil })
	a := attempt("ada@example.com", "198.51.100.7")
	id, short := f.begin(a)
	f.spendGuesses("ada@example.com")
	if o := f.verify(id, a, short); o != store.OutcomeLimited {
		t.Errorf("a short code: %d", o)
	}
	f.db.AdvanceForTest(65 * time.Second)
	begun, err := f.engine.Begin(t.Context(), a) // the form again, which is another code
	if err != nil || begun.Sends != 2 || begun.Length != 26 {
		t.Fatal(err, begun)
	}
	if begun, err = f.engine.Begin(t.Context(), a); err != nil || !begun.Again || begun.Length != 26 {
		t.Error(err, begun)
	}
	f.db.AdvanceForTest(125 * time.Second)
	if begun, err = f.engine.Resend(t.Context(), store.Again{Challenge: id, Attempt: a}); err != nil || begun.Length != 26 {
		t.Fatal(err, begun)
	}
	// The address has no account: with three mails an hour, this one went nowhere.
	code := f.outbox.muted.Code
	if !long.MatchString(code) {
		t.Fatalf("code %q", code)
	}
	if o := f.verify(id, a, code); o != store.OutcomeAccepted {
		t.Errorf("the long code: %d", o)
	}
}

// A known browser's guesses are bounded as well, and then its codes are long, too.
func TestOwnPoolIsBounded(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	home := f.home("ada@example.com")
	wrong, limited := 0, 0
	for range 4 {
		a := another(home)
		id, code := f.begin(a)
		for range 4 {
			if strings.Contains(code, "-") {
				break
			}
			switch o := f.verify(id, a, wrongFor(code)); o {
			case store.OutcomeWrong:
				wrong++
			case store.OutcomeLimited:
				limited++
			default:
				t.Fatal(o)
			}
		}
	}
	if wrong != 10 || limited != 2 || !long.MatchString(f.outbox.last().Code) {
		t.Errorf("%d wrong, %d limited, the last code %q", wrong, limited, f.outbox.last().Code)
	}
	away := attempt("ada@example.com", "198.51.100.7")
	if _, code := f.begin(away); len(code) != 6 {
		t.Errorf("strangers' guesses are spent, too: %q", code)
	}
}

// Long codes are read as people type them.
func TestTypedLongCodes(t *testing.T) {
	t.Parallel()
	f := setup(t, func(c *otp.Config) { c.Limits.RecipientSends = nil })
	f.home("ada@example.com") // mails to an address without an account end after three
	f.spendGuesses("ada@example.com")
	a := attempt("ada@example.com", "198.51.100.7")
	id, code := f.begin(a)
	plain := strings.ReplaceAll(code, "-", "")
	wide := strings.Map(func(r rune) rune { return r - '!' + '！' }, plain)
	misread := strings.NewReplacer("0", "o", "1", "l").Replace(plain)
	for _, typed := range []string{code, plain, strings.ToLower(code), " " + strings.ReplaceAll(code, "-", " ") + "\n", strings.ReplaceAll(code, "-", "–"), wide, misread,
		strings.NewReplacer("0", "O", "1", "I").Replace(code)} {
		if o := f.verify(id, a, typed); o != store.OutcomeAccepted {
			t.Errorf("%q: %d", typed, o)
		}
	}
	for _, typed := range []string{plain[:25], plain + "0", plain[:25] + "U", plain[:25] + "é", strings.Repeat("-", 26)} {
		if _, err := f.engine.Guess(store.Try{Challenge: id, Code: typed}); store.CodeOf(err) != store.Invalid {
			t.Errorf("%.30q: %v", typed, err)
		}
	}
}

// An app's own codes, and the console's, are long while the budget is spent.
func TestLongCodesOfOtherPurposes(t *testing.T) {
	t.Parallel()
	f := setup(t, func(c *otp.Config) { c.Limits.RecipientSends = nil })
	f.home("ada@example.com") // mails to an address without an account end after three
	f.spendGuesses("ada@example.com")
	console := attempt("ada@example.com", "198.51.100.7")
	console.Purpose = store.PurposeConsole
	if _, code := f.begin(console); !long.MatchString(code) {
		t.Errorf("the console's: %q", code)
	}
	v := store.Verification{Client: "backend", Email: "ada@example.com"}
	if err := f.engine.SendVerification(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	in, err := f.engine.CheckVerification(t.Context(), v, f.outbox.last().Code)
	if err != nil || in.Outcome != store.OutcomeAccepted || len(f.outbox.last().Code) != 30 {
		t.Errorf("an app's: %v %+v", err, in)
	}
}
