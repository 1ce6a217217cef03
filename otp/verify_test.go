package otp_test

import (
	"slices"
	"testing"
	"time"

	"idp/store"
)

func TestVerification(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	v := store.Verification{Client: "backend", App: "Bookstore", Email: "ada@example.com", Locale: "en"}
	check := func(v store.Verification, code string, want store.Outcome) {
		t.Helper()
		in, err := f.engine.CheckVerification(t.Context(), v, code)
		if err != nil || in.Outcome != want {
			t.Errorf("outcome %d (%v), want %d", in.Outcome, err, want)
		}
	}
	send := func(want store.Code) {
		t.Helper()
		if err := f.engine.SendVerification(t.Context(), v); store.CodeOf(err) != want {
			t.Fatalf("send: %v, want %q", err, want)
		}
	}
	check(v, "123456", store.OutcomeGone)
	send("")
	first := f.outbox.last()
	if first.Usage != store.UsageGeneric || first.App != "Bookstore" || first.To != "ada@example.com" {
		t.Errorf("mail %+v", first)
	}
	send(store.Limited)
	other := v
	other.Client = "another"
	check(other, first.Code, store.OutcomeGone)
	f.db.AdvanceForTest(65 * time.Second)
	send("")
	second := f.outbox.last()
	if len(f.outbox.sent) != 2 {
		t.Fatalf("%d mails", len(f.outbox.sent))
	}
	f.db.AdvanceForTest(3 * time.Minute)
	check(v, wrongFor(first.Code, second.Code), store.OutcomeWrong)
	check(v, first.Code, store.OutcomeAccepted) // the second mail does not kill the first code
	check(v, second.Code, store.OutcomeUsed)
	send("") // and another one can be begun
	check(v, f.outbox.last().Code, store.OutcomeAccepted)
}

// A code outlives the end of the stretch of time that its challenge is named after.
func TestVerificationAcrossStretches(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	v := store.Verification{Client: "backend", Email: "ada@example.com"}
	const stretch = 30 * time.Minute
	now := f.db.Now()
	f.db.AdvanceForTest(now.Truncate(stretch).Add(stretch - time.Minute).Sub(now))
	if err := f.engine.SendVerification(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	f.db.AdvanceForTest(2 * time.Minute)
	in, err := f.engine.CheckVerification(t.Context(), v, f.outbox.last().Code)
	if err != nil || in.Outcome != store.OutcomeAccepted {
		t.Errorf("outcome %d, %v", in.Outcome, err)
	}
}

func wrongFor(codes ...string) string {
	for _, c := range []string{"000000", "000001", "000002"} {
		if !slices.Contains(codes, c) {
			return c
		}
	}
	return ""
}

func TestTokenGuess(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	if _, err := f.engine.TokenGuess(t.Context(), store.TokenTry{Token: "short"}); store.CodeOf(err) != store.NotFound {
		t.Errorf("no token: %v", err)
	}
	token, hash := store.NewOneTimeToken()
	if len(token) != 43 {
		t.Errorf("%d characters", len(token))
	}
	a := attempt("ada@example.com", "192.0.2.1")
	if _, err := f.db.CreateOneTimeToken(t.Context(), store.OneTimeToken{ID: "one", Email: a.Email, Hash: hash, Context: []byte(`{}`), ExpiresAt: f.db.Now().Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	try := store.TokenTry{Token: token, Email: a.Email, Browser: a.Browser, Request: a.Request}
	g, err := f.engine.TokenGuess(t.Context(), try)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := f.engine.TokenGuess(t.Context(), try)
	try.Request = store.NewID(f.db.Now())
	other, _ := f.engine.TokenGuess(t.Context(), try)
	if again.Challenge != g.Challenge || other.Challenge == g.Challenge {
		t.Error("the challenge is not named after token, browser and request")
	}
	in, err := f.engine.Verify(t.Context(), g, store.Completion{Session: store.NewSession{Hash: store.HashOf([]byte("s")), Idle: time.Hour, Absolute: time.Hour}, UserID: "ada"})
	if err != nil || in.Outcome != store.OutcomeAccepted || in.User != "ada" {
		t.Errorf("%+v %v", in, err)
	}
}
