package otp_test

import (
	"encoding/base64"
	"log/slog"
	"strings"
	"testing"
	"time"

	"idp/keyring"
	"idp/otp"
	"idp/store"
)

const notMePage = "https://id.example/not-me"

// linked makes the engine's mails have the link for those who did not ask.
func (f *fixture) linked(secrets ...byte) {
	f.t.Helper()
	ring := f.ring
	if len(secrets) > 0 {
		var keys [][]byte
		for _, s := range secrets {
			key := make([]byte, keyring.SecretSize)
			key[0] = s
			keys = append(keys, key)
		}
		var err error
		if ring, err = keyring.New(keys[0], keys[1:]...); err != nil {
			f.t.Fatal(err)
		}
	}
	var err error
	f.engine, err = otp.New(otp.Deps{Store: f.db, Ring: ring, Outbox: f.outbox, Config: otp.DefaultConfig(), Log: slog.New(slog.DiscardHandler), NotMe: notMePage})
	if err != nil {
		f.t.Fatal(err)
	}
}

// disowned reads the link of a mail.
func (f *fixture) disowned(m store.Message) store.Disowned {
	f.t.Helper()
	token, ok := strings.CutPrefix(m.NotMe, notMePage+"?t=")
	if !ok {
		f.t.Fatalf("the link is %q", m.NotMe)
	}
	d, err := f.engine.Disowned(token)
	if err != nil {
		f.t.Fatal(err)
	}
	return d
}

// Every mail has the link; it says what was asked for, and nobody can make one up.
func TestLinkForWhoDidNotAsk(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.linked()
	a := attempt("ada@example.com", "192.0.2.1")
	a.App = strings.Repeat("a very long name ", 10)
	f.begin(a)
	if m := f.outbox.last(); len(m.NotMe) > 500 {
		t.Errorf("%d bytes: %s", len(m.NotMe), m.NotMe)
	}
	a = attempt("ada@example.com", "192.0.2.1")
	id, code := f.begin(a)
	m := f.outbox.last()
	d := f.disowned(m)
	if d.Challenge != id || d.Browser != a.Browser || d.Email != a.Email || d.App != "Bookstore" || d.BrowserName != "Firefox on Linux" || d.Place != "192.0.2.1" || !d.Asked.Equal(m.Asked) {
		t.Errorf("%+v", d)
	}
	if m.Link != "" {
		t.Error("a link that signs in was not asked for")
	}
	if o := f.verify(id, a, code); o != store.OutcomeAccepted {
		t.Fatal(o)
	}
	// The two mails of a recovery, and its notice.
	back := recovery("ada@example.com")
	id, code = f.begin(back)
	if d := f.disowned(f.outbox.last()); d.Challenge != id {
		t.Errorf("%+v", d)
	}
	f.verify(id, back, code)
	if m := f.outbox.last(); m.Usage != store.UsageRecovered || f.disowned(m).Challenge != id || f.disowned(m).Browser != back.Browser {
		t.Errorf("%+v", m)
	}
	if _, err := f.engine.Begin(t.Context(), recovery("eve@example.com")); err != nil {
		t.Fatal(err)
	}
	if m := f.outbox.last(); m.Usage != store.UsageNoAccount || f.disowned(m).Email != "eve@example.com" {
		t.Errorf("%+v", m)
	}

	token := strings.TrimPrefix(m.NotMe, notMePage+"?t=")
	other := f.ring.Sealer("other").Seal([]byte(`{"v":1}`), nil)
	for _, bad := range []string{"", "x", token[1:], token + "A", token[:len(token)-2] + "AA", base64.RawURLEncoding.EncodeToString(other)} {
		if _, err := f.engine.Disowned(bad); store.CodeOf(err) != store.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	f.db.AdvanceForTest(30*24*time.Hour + time.Minute)
	if _, err := f.engine.Disowned(token); store.CodeOf(err) != store.Expired {
		t.Error(err)
	}
}

// The link that signs in is made for each code, and is right as long as it is.
func TestLinkOfACode(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	a := attempt("ada@example.com", "192.0.2.1")
	a.Link = func(id store.ID, code string, until time.Time) string {
		if left := until.Sub(f.db.Now()); left > 10*time.Minute || left < 9*time.Minute {
			t.Errorf("it is right for %s", left)
		}
		return id.String() + "/" + code
	}
	id, code := f.begin(a)
	if m := f.outbox.last(); m.Link != id.String()+"/"+code {
		t.Error(m.Link)
	}
	f.db.AdvanceForTest(65 * time.Second)
	if _, err := f.engine.Resend(t.Context(), store.Again{Challenge: id, Attempt: a}); err != nil {
		t.Fatal(err)
	}
	if m := f.outbox.last(); m.Code == code || m.Link != id.String()+"/"+m.Code {
		t.Error(m.Link)
	}
	back := recovery("eve@example.com")
	back.Link = a.Link
	if _, err := f.engine.Begin(t.Context(), back); err != nil {
		t.Fatal(err)
	}
	if m := f.outbox.last(); m.Usage != store.UsageNoAccount || m.Link != "" {
		t.Errorf("%+v", m)
	}
}

// A mute and known browsers outlast a rotation of the secret, and so does the link.
func TestNotMeAcrossRotation(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.linked(1)
	home := attempt("ada@example.com", "192.0.2.1")
	id, code := f.begin(home)
	f.verify(id, home, code)
	f.begin(attempt("ada@example.com", "192.0.2.9"))
	m := f.outbox.last()

	f.linked(2, 1)
	undone, err := f.engine.NotMe(t.Context(), f.disowned(m))
	if err != nil || undone.SignedOut {
		t.Fatal(undone, err)
	}
	sends := func(browser store.Hash) bool {
		t.Helper()
		before, decoys := len(f.outbox.sent), f.outbox.decoys
		a := attempt("ada@example.com", "192.0.2.1")
		if !browser.IsZero() {
			a.Browser = browser
		}
		if _, err := f.engine.Begin(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if len(f.outbox.sent)+f.outbox.decoys != before+decoys+1 {
			t.Error("neither a mail nor a decoy")
		}
		return len(f.outbox.sent) > before
	}
	if sends(store.Hash{}) || !sends(home.Browser) {
		t.Error("not for the known browser only")
	}
	f.db.AdvanceForTest(time.Hour) // the mails of an hour
	f.linked(3, 2)
	if sends(store.Hash{}) {
		t.Error("the mute that was made under the secret before is gone")
	}
	if err := f.engine.Unmute(t.Context(), f.disowned(f.noted())); err != nil {
		t.Fatal(err)
	}
	if !sends(store.Hash{}) {
		t.Error("the mute was not lifted")
	}
}

// noted is the newest mail that names its address under a live secret.
func (f *fixture) noted() store.Message {
	f.t.Helper()
	a := recovery("ada@example.com")
	f.outbox.mu.Lock()
	n := len(f.outbox.sent)
	f.outbox.mu.Unlock()
	if _, err := f.engine.Begin(f.t.Context(), a); err != nil {
		f.t.Fatal(err)
	}
	if len(f.outbox.sent) > n {
		return f.outbox.last()
	}
	return f.outbox.muted
}
