package otp_test

import (
	"sync"
	"testing"
	"time"

	"idp/store"
)

// recovery is an attempt to get back into an account.
func recovery(email store.Email) store.Attempt {
	a := attempt(email, "192.0.2.7")
	a.Purpose = store.PurposeRecover
	return a
}

// queued gives the waiting mails, as any replica finds them once their leases end.
func (f *fixture) queued() []store.QueuedMail {
	f.t.Helper()
	f.db.AdvanceForTest(35 * time.Second)
	mails, err := f.db.ClaimMail(f.t.Context(), store.NewID(time.Now()), time.Second, 10)
	if err != nil {
		f.t.Fatal(err)
	}
	return mails
}

// What is handed over, and what waits in the row, says that there is no account.
func TestRecoveryWithoutAnAccount(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	if _, err := f.engine.Begin(t.Context(), recovery("eve@example.com")); err != nil {
		t.Fatal(err)
	}
	if m := f.outbox.last(); m.Usage != store.UsageNoAccount || m.Code != "" || m.To != "eve@example.com" || m.Place != "192.0.2.7" || m.App == "" {
		t.Errorf("handed over: %+v", m)
	}
	if q := f.queued(); len(q) != 1 || q[0].Usage != store.UsageNoAccount || string(q[0].Payload) != "sealed NoAccount" || q[0].Decoy {
		t.Errorf("queued: %+v", q)
	}
}

func TestNoAccountIsSaidOnceADay(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	ask := func(a store.Attempt, mails, decoys int) {
		t.Helper()
		if _, err := f.engine.Begin(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if len(f.outbox.sent) != mails || f.outbox.decoys != decoys {
			t.Errorf("%d mails and %d decoys, want %d and %d", len(f.outbox.sent), f.outbox.decoys, mails, decoys)
		}
	}
	first := recovery("eve@example.com")
	ask(first, 1, 0)
	ask(recovery("e.ve+shop@example.com"), 1, 1)
	f.db.AdvanceForTest(65 * time.Second)
	ask(first, 1, 2)                                   // another code
	ask(attempt("eve@example.com", "192.0.2.1"), 2, 2) // to register is something else
	f.db.AdvanceForTest(24 * time.Hour)
	ask(recovery("eve@example.com"), 3, 2)
}

// Where there is an account, the code is mailed, however often it is asked for; the
// first click on the right one, and nothing else, has the notice mailed.
func TestRecoveryIsNoticed(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	a := attempt("ada@example.com", "192.0.2.1")
	id, code := f.begin(a)
	if o := f.verify(id, a, code); o != store.OutcomeAccepted {
		t.Fatal(o)
	}
	f.begin(recovery(a.Email))
	a = recovery(a.Email)
	id, code = f.begin(a)
	if m := f.outbox.last(); m.Usage != store.UsageForgotPassword || len(code) != 6 {
		t.Fatalf("%+v", m)
	}
	for _, m := range f.queued() {
		if err := f.db.SettleMail(t.Context(), []store.Settled{{ID: m.ID, State: store.MailSent}}); err != nil {
			t.Fatal(err)
		}
	}
	before := len(f.outbox.sent)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	if o := f.verify(id, a, wrong); o != store.OutcomeWrong || len(f.outbox.sent) != before {
		t.Fatalf("a wrong code: %d, %d mails", o, len(f.outbox.sent)-before)
	}
	var clicks sync.WaitGroup
	for range 3 {
		clicks.Go(func() {
			if o := f.verify(id, a, code); o != store.OutcomeAccepted {
				t.Error(o)
			}
		})
	}
	clicks.Wait()
	if len(f.outbox.sent) != before+1 {
		t.Fatalf("%d notices, want 1", len(f.outbox.sent)-before)
	}
	if m := f.outbox.last(); m.Usage != store.UsageRecovered || m.To != a.Email || m.Code != "" || m.CodeTTL != 24*60 || m.Place != "192.0.2.7" ||
		m.App != "Bookstore" || m.Browser != "Firefox on Linux" || m.Locale != "en" || m.Asked.IsZero() {
		t.Errorf("notice %+v", m)
	}
	q := f.queued()
	if len(q) != 1 || q[0].Usage != store.UsageRecovered || q[0].ID != f.outbox.ids[before] || q[0].Challenge != id || q[0].ID == id ||
		q[0].ExpiresAt.Sub(f.db.Now()) < 23*time.Hour {
		t.Errorf("queued: %+v", q)
	}
	// The page goes on to show what became of the code.
	if st, err := f.engine.State(t.Context(), id, a.Browser); err != nil || st.Mail != store.MailSent {
		t.Errorf("%+v %v", st, err)
	}
}

// Nobody is told of a sign-in.
func TestSignInIsNotNoticed(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	a := attempt("ada@example.com", "192.0.2.1")
	g, err := f.engine.Guess(store.Try{Purpose: a.Purpose, Email: a.Email, Code: "123456"})
	if err != nil || !g.Notice.IsZero() {
		t.Errorf("%+v %v", g.Notice, err)
	}
}

// Where no account can be made, an address without one is told so once a day, whatever
// was asked for; one that has an account gets its code.
func TestClosedToNewAccounts(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	known := attempt("ada@example.com", "192.0.2.1")
	id, code := f.begin(known)
	if o := f.verify(id, known, code); o != store.OutcomeAccepted {
		t.Fatal(o)
	}
	closed := func(email store.Email, p store.Purpose) store.Attempt {
		a := attempt(email, "192.0.2.7")
		a.Purpose, a.Closed = p, true
		return a
	}
	for _, p := range []store.Purpose{store.PurposeSignIn, store.PurposeRegister} {
		if _, code := f.begin(closed("ada@example.com", p)); len(code) != 6 {
			t.Errorf("purpose %d: the code is %q", p, code)
		}
	}
	before := len(f.outbox.sent)
	for _, p := range []store.Purpose{store.PurposeSignIn, store.PurposeRegister, store.PurposeRecover} {
		if _, err := f.engine.Begin(t.Context(), closed("eve@example.com", p)); err != nil {
			t.Fatal(err)
		}
	}
	if m := f.outbox.last(); len(f.outbox.sent) != before+1 || m.Usage != store.UsageClosed || m.Code != "" || m.To != "eve@example.com" {
		t.Errorf("%d mails, the last one %+v", len(f.outbox.sent)-before, m)
	}
}

// An attempt narrows what the engine was made with, and never widens it.
func TestAttemptsNarrow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ttl   time.Duration
		tries int
		right time.Duration // how long the code is
		wrong int           // how many guesses
	}{{3 * time.Minute, 2, 3 * time.Minute, 2}, {time.Hour, 50, 10 * time.Minute, 5}, {0, 0, 10 * time.Minute, 5}} {
		f := setup(t, nil)
		a := attempt("ada@example.com", "192.0.2.1")
		a.CodeTTL, a.Tries = c.ttl, c.tries
		id, code := f.begin(a)
		if m := f.outbox.last(); m.CodeTTL != int(c.right/time.Minute) {
			t.Errorf("the mail says %d minutes", m.CodeTTL)
		}
		st, err := f.engine.State(t.Context(), id, a.Browser)
		if err != nil || st.TriesLeft != c.wrong {
			t.Errorf("%d tries, %v", st.TriesLeft, err)
		}
		f.db.AdvanceForTest(c.right - 10*time.Second)
		if o := f.verify(id, a, code); o != store.OutcomeAccepted {
			t.Errorf("%v: outcome %d", c.ttl, o)
		}
	}
}
