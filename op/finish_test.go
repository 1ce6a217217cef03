package op_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"idp/store"
)

func TestSealedRequest(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.authorize("state", strings.Repeat("s", 4096), "ui_locales", "ja en")
	req := f.begun[0]
	sealed := f.provider.Seal(req, f.browser)
	if len(sealed) > 6500 {
		t.Errorf("%d characters for 4 kB of state", len(sealed))
	}
	got, err := f.provider.Open(sealed, f.browser)
	if err != nil || got.State != req.State || got.ID != req.ID || !got.StartedAt.Equal(req.StartedAt) || len(got.UILocales) != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	foreign := map[string]string{"": "", "x": "x", "padded": sealed + "=", "cut": sealed[:len(sealed)-4], "changed": sealed[:60] + "AAAA" + sealed[64:], "long": strings.Repeat("A", 1<<17)}
	for name, s := range foreign {
		if req, err := f.provider.Open(s, f.browser); store.CodeOf(err) != store.Invalid || req.Client != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.provider.Open(sealed, random()); store.CodeOf(err) != store.Invalid {
		t.Errorf("another browser: %v", err)
	}
	f.db.AdvanceForTest(61 * time.Minute)
	if got, err := f.provider.Open(sealed, f.browser); store.CodeOf(err) != store.Expired || got.Client != "shop" {
		t.Errorf("after an hour: %v %v", got.Client, err)
	}
	f.db.AdvanceForTest(23 * time.Hour)
	if got, err := f.provider.Open(sealed, f.browser); store.CodeOf(err) != store.Expired || got.Client != "" {
		t.Errorf("after a day: %v %v", got.Client, err)
	}
}

// What was taken from a client while a sign-in was under way gets no code.
func TestOpenAsksForTheClientAgain(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.client(store.Client{ID: "native", Type: store.Native, RedirectURIs: []string{"http://127.0.0.1/cb"}})
	f.authorize("client_id", "native", "redirect_uri", "http://127.0.0.1:4711/cb")
	native := f.provider.Seal(f.begun[0], f.browser)
	f.authorize()
	sealed := f.provider.Seal(f.begun[1], f.browser)
	for _, s := range []string{native, sealed} {
		if _, err := f.provider.Open(s, f.browser); err != nil {
			t.Fatal(err)
		}
	}
	f.changeClient("shop", func(c *store.Client) { c.RedirectURIs = []string{"https://shop.example/other"} })
	if req, err := f.provider.Open(sealed, f.browser); store.CodeOf(err) != store.Invalid || req.Client != "" {
		t.Errorf("a redirect URI that is gone: %v", err)
	}
	f.db.AdvanceForTest(61 * time.Minute)
	if req, err := f.provider.Open(sealed, f.browser); store.CodeOf(err) != store.Invalid || req.Client != "" {
		t.Errorf("a redirect URI that is gone, an hour later: %v", err)
	}
	f.must(f.db.DeleteClient(t.Context(), "native", time.Time{}))
	if _, err := f.provider.Open(native, f.browser); store.CodeOf(err) != store.Invalid {
		t.Errorf("a client that is gone: %v", err)
	}
	f.outage.down.Store(true)
	if _, err := f.provider.Open(native, f.browser); store.CodeOf(err) != store.Unavailable {
		t.Errorf("without a database: %v", err)
	}
}

func TestFinishTwiceIsOnce(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.authorize()
	previous := random()
	proof := store.Proof{Challenge: store.NewID(time.Now()), Previous: previous}
	a, b := f.provider.Finish(f.begun[0], proof), f.provider.Finish(f.begun[0], proof)
	if a.Redirect != b.Redirect || a.SessionSecret != b.SessionSecret || a.Completion.Session.Hash != b.Completion.Session.Hash || a.Completion.Code.Hash != b.Completion.Code.Hash {
		t.Error("two sessions from one challenge")
	}
	c := f.provider.Finish(f.begun[0], store.Proof{Challenge: store.NewID(time.Now()), Previous: previous})
	if a.SessionSecret == c.SessionSecret || a.Redirect == c.Redirect {
		t.Error("one session from two challenges")
	}
	secret, err := base64.RawURLEncoding.DecodeString(a.SessionSecret)
	f.must(err)
	code, err := base64.RawURLEncoding.DecodeString(query(t, a.Redirect).Get("code"))
	f.must(err)
	if store.HashOf(secret) != a.Completion.Session.Hash || store.HashOf(code) != a.Completion.Code.Hash {
		t.Error("the hashes are not those of the secrets")
	}
	s := a.Completion.Session
	if s.Idle != 12*time.Hour || s.Absolute != 14*24*time.Hour || s.Replaces != previous || len(s.AMR) != 1 || s.AMR[0] != "otp" ||
		a.Completion.Code.TTL != time.Minute || a.Completion.Event != "user.signed_in" || len(a.Completion.UserID) != 12 {
		t.Errorf("%+v", a.Completion)
	}
	if got := query(t, a.Redirect); got.Get("state") != "st" || got.Get("iss") != f.provider.Issuer() || got.Get("shop") != "1" {
		t.Error(a.Redirect)
	}
}
