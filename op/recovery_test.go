package op_test

import (
	"testing"
	"time"

	"idp/store"
)

// recovers proves the code of a recovery in this browser, whose session it replaces.
func (f *fixture) recovers(email store.Email, req store.AuthRequest) {
	f.Helper()
	mail := store.NewMail{ID: store.NewID(f.db.Now()), Usage: store.UsageForgotPassword, Payload: []byte("sealed"), TTL: time.Minute,
		Other: &store.OtherMail{Usage: store.UsageNoAccount, Payload: []byte("sealed")}}
	n := store.NewChallenge{ID: store.NewID(f.db.Now()), Purpose: store.PurposeRecover, Browser: f.browser, Request: req.ID,
		Email: email, Address: random(), MAC: random(), CodeTTL: time.Minute, TTL: time.Hour, Tries: 5, Sends: 3, Mail: mail}
	_, err := f.db.BeginChallenge(f.Context(), n)
	f.must(err)
	finish := f.provider.Finish(req, store.Proof{Challenge: n.ID, Purpose: n.Purpose, Previous: f.session})
	in, err := f.db.CompleteChallenge(f.Context(), store.Guess{Challenge: n.ID, Browser: f.browser, Purpose: n.Purpose, Request: n.Request,
		Email: n.Email, MACs: []store.Hash{n.MAC}, Attempt: random()}, finish.Completion)
	f.must(err)
	if in.Outcome != store.OutcomeAccepted {
		f.Fatalf("outcome %d", in.Outcome)
	}
	f.session = finish.Completion.Session.Hash
}

// A recovery ends what an app holds, wherever the person was signed in before: in another
// browser, or in the very one in which they recover the account.
func TestRecoveryEndsWhatAppsHold(t *testing.T) {
	t.Parallel()
	for name, same := range map[string]bool{"in another browser": false, "in the same browser": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			tok := f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline)))
			pending := query(t, f.authorize("prompt", "none").Header.Get("Location")).Get("code")
			f.db.AdvanceForTest(time.Second)
			if !same {
				f.browser, f.session = random(), store.Hash{}
			}
			f.begun = nil
			f.authorize("prompt", "login", "first_screen", "reset_password")
			f.recovers("ada@example.com", f.begun[0])
			if r := f.refresh(tok.Refresh); r.StatusCode != 400 {
				t.Errorf("the refresh token lives: %d", r.StatusCode)
			}
			if r := f.get("/oidc/me", "Authorization", "Bearer "+tok.Access); r.StatusCode != 401 {
				t.Errorf("the access token lives: %d", r.StatusCode)
			}
			if r := f.exchange(pending); r.StatusCode != 400 {
				t.Errorf("a code from before lives: %d", r.StatusCode)
			}
			if !f.isSignedIn() {
				t.Error("the recovery's own session ended")
			}
		})
	}
}
