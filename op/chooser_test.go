package op_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"idp/store"
)

// The person says whether to go on as the one who is signed in.
func TestAuthorizeChooser(t *testing.T) {
	t.Parallel()
	f := setup(t)
	if f.authorize("prompt", "select_account"); len(f.chosen) != 0 || len(f.begun) != 1 {
		t.Error("nobody is signed in, and there is a choice")
	}
	f.enter("ada@example.com")
	for _, changes := range [][]string{{"prompt", "select_account"}, {"prompt", "select_account consent"}, {"login_hint", "bob@example.com"}} {
		f.begun, f.chosen = nil, nil
		f.authorize(changes...)
		if len(f.chosen) != 1 {
			t.Fatalf("%v: no choice", changes)
		}
		location, err := f.provider.Continue(httptest.NewRequest("POST", "/", nil), f.begun[0], f.session, f.browser)
		f.must(err)
		f.tokens(f.exchange(query(t, location).Get("code")))
		if _, err := f.provider.Continue(httptest.NewRequest("POST", "/", nil), f.begun[0], f.session, random()); store.CodeOf(err) != store.NotFound {
			t.Errorf("another browser: %v", err)
		}
	}
	f.db.AdvanceForTest(2 * time.Minute)
	f.begun = nil
	f.authorize("prompt", "select_account", "max_age", "60")
	if _, err := f.provider.Continue(httptest.NewRequest("POST", "/", nil), f.begun[0], f.session, f.browser); store.CodeOf(err) != store.NotFound {
		t.Errorf("older than max_age: %v", err)
	}
}

// max_age is counted to when the answer goes out, however long the chooser was open.
func TestMaxAgeOnTheChooser(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]time.Duration{"50 minutes": 50 * time.Minute, "11 hours, restarted": 11 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			f.enter("ada@example.com")
			n := len(f.begun)
			f.authorize("prompt", "select_account", "max_age", "60")
			if len(f.chosen) != 1 {
				t.Fatal("no chooser")
			}
			sealed := f.provider.Seal(f.begun[n], f.browser)
			f.db.AdvanceForTest(wait)
			req, err := f.provider.Open(sealed, f.browser)
			if store.CodeOf(err) == store.Expired { // as the pages restart it
				req.ID, req.StartedAt = store.NewID(f.db.Now()), f.db.Now()
			}
			to, err := f.provider.Continue(httptest.NewRequest("POST", "/choose", nil), req, f.session, f.browser)
			if store.CodeOf(err) != store.NotFound {
				t.Errorf("max_age=60, and the chooser went on to %q after %v: %v", to, wait, err)
			}
		})
	}
}
