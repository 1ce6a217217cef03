package otp_test

import (
	"errors"
	"testing"
	"time"

	"idp/store"
)

// While the ceiling of all mails is reached nobody is sent a code, whether there is an account or
// not, and nothing is charged. What has begun goes on, and operators get in.
func TestNoCodesWhileAllMailsAreTooMany(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	begun := attempt("ada@example.com", "192.0.2.1")
	id, code := f.begin(begun)
	f.outbox.full = 7 * time.Minute
	full := func(err error) {
		t.Helper()
		var e *store.Error
		if !errors.As(err, &e) || e.Code != store.Limited || e.Limit != store.LimitMails || e.Wait != 7*time.Minute {
			t.Errorf("%+v", err)
		}
	}
	sent := len(f.outbox.sent)
	for range 10 { // more than an address may have
		for _, to := range []store.Email{"ada@example.com", "nobody@example.com"} {
			for _, purpose := range []store.Purpose{store.PurposeSignIn, store.PurposeRegister, store.PurposeRecover, store.PurposeVerify} {
				a := attempt(to, "192.0.2.1")
				a.Purpose = purpose
				_, err := f.engine.Begin(t.Context(), a)
				full(err)
			}
		}
	}
	if again, err := f.engine.Begin(t.Context(), begun); err != nil || again.ID != id { // the same form
		t.Errorf("%+v, %v", again, err)
	}
	f.db.AdvanceForTest(2 * time.Minute)
	_, err := f.engine.Resend(t.Context(), store.Again{Challenge: id, Attempt: begun})
	full(err)
	if len(f.outbox.sent) != sent {
		t.Errorf("%d mails", len(f.outbox.sent)-sent)
	}
	f.guess(f.engine, begun, id, code, store.OutcomeAccepted)

	owner := attempt("owner@example.com", "192.0.2.1")
	owner.Purpose = store.PurposeConsole
	if _, err := f.engine.Begin(t.Context(), owner); err != nil {
		t.Error(err)
	}
	if m := f.outbox.muted; !m.Console && !f.outbox.last().Console { // a decoy, or not
		t.Error("the mail does not say that it is the console's")
	}
	f.outbox.full = 0
	if _, err := f.engine.Begin(t.Context(), attempt("ada@example.com", "192.0.2.1")); err != nil {
		t.Errorf("refused requests were charged: %v", err)
	}
}
