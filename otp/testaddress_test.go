package otp_test

import (
	"testing"
	"time"

	"idp/otp"
	"idp/store"
)

// A test address has one code for all apps and challenges, no mail leaves for it, and neither the
// console nor anybody else has anything to do with it.
func TestTestAddress(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	codes := otp.NewTestCodes(f.ring)
	set := func(email store.Email, code string, until time.Duration) {
		t.Helper()
		if err := f.db.SetTestAddress(t.Context(), store.TestAddress{Email: email, Code: codes.Seal(email, code), EndsAt: f.db.Now().Add(until)}); err != nil {
			t.Fatal(err)
		}
	}
	const fixed = "246810"
	set("review@example.com", fixed, time.Hour)
	for n := range 2 {
		a := attempt("review@example.com", "192.0.2.1")
		if n > 0 {
			a.Purpose = store.PurposeSignIn
		}
		begun, err := f.engine.Begin(t.Context(), a)
		if err != nil || !begun.Decoy || begun.Length != 6 {
			t.Fatalf("%+v %v", begun, err)
		}
		f.guess(f.engine, a, begun.ID, "000000", store.OutcomeWrong)
		f.guess(f.engine, a, begun.ID, fixed, store.OutcomeAccepted)
	}
	if len(f.outbox.sent) != 0 || f.outbox.decoys != 2 {
		t.Errorf("%d mails, %d decoys", len(f.outbox.sent), f.outbox.decoys)
	}
	mailed := func(a store.Attempt) string {
		t.Helper()
		n := len(f.outbox.sent)
		begun, err := f.engine.Begin(t.Context(), a)
		if err != nil || begun.Decoy || len(f.outbox.sent) != n+1 {
			t.Fatalf("%+v %v", begun, err)
		}
		return f.outbox.last().Code
	}
	console := attempt("review@example.com", "192.0.2.1")
	console.Purpose = store.PurposeConsole
	if code := mailed(console); len(code) != 8 {
		t.Errorf("code %q", code)
	}
	mailed(attempt("other@example.com", "192.0.2.1"))
	// A code that is not as long as codes are, or that was sealed for another address, is none.
	set("long@example.com", "1234567", time.Hour)
	mailed(attempt("long@example.com", "192.0.2.1"))
	if err := f.db.SetTestAddress(t.Context(), store.TestAddress{Email: "moved@example.com", Code: codes.Seal("review@example.com", fixed), EndsAt: f.db.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	mailed(attempt("moved@example.com", "192.0.2.1"))
	// One that is removed while somebody is on the code page gets a mail there, as any other.
	set("gone@example.com", fixed, time.Hour)
	a := attempt("gone@example.com", "192.0.2.1")
	begun, err := f.engine.Begin(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.db.RemoveTestAddress(t.Context(), "gone@example.com"); err != nil {
		t.Fatal(err)
	}
	f.guess(f.engine, a, begun.ID, fixed, store.OutcomeExpired)
	f.db.AdvanceForTest(2 * time.Minute)
	if again, err := f.engine.Resend(t.Context(), store.Again{Challenge: begun.ID, Attempt: a}); err != nil || again.Decoy {
		t.Fatalf("%+v %v", again, err)
	}
	f.guess(f.engine, a, begun.ID, f.outbox.last().Code, store.OutcomeAccepted)
	f.db.AdvanceForTest(2 * time.Hour)
	mailed(attempt("review@example.com", "192.0.2.1"))
}
