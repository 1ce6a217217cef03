package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"idp/e2e/rig"
)

// A new secret, server by server, while people are in the middle of everything: nobody is
// signed out, nothing is lost, and a day later nothing needs the old one.
func TestSecretRotation(t *testing.T) {
	t.Parallel()
	a, b, front := rig.NewReplicas(t)
	a.Run("connector", "set", "inbox")
	a.Start()
	b.Start()
	m := newManagement(a)
	m.post("/applications", map[string]any{"name": "Made over the API", "type": "Traditional"})
	app := a.Lasting("traditional")
	v, known := rig.NewVisitor(t, a), rig.NewVisitor(t, a)
	r := a.Request(app, "scope", rig.Offline)
	tok := a.Redeem(r, v.SignUp(r, "ada@example.com").Get("code"))
	a.Run("suppression", "add", "bounced@example.com")

	restart := func(current, previous string) {
		for _, s := range []*rig.Server{a, b} {
			other := map[*rig.Server]*rig.Server{a: b, b: a}[s]
			front.Route(other)
			s.Stop()
			s.Env = append(s.Env, "IDP_SECRET="+current, "IDP_SECRET_PREVIOUS="+previous)
			s.Start()
			front.Route(a, b)
		}
	}
	goesOn := func(when string) {
		t.Helper()
		for range 2 { // at both
			refreshed, access := a.Refresh(app, tok.RefreshToken)
			if refreshed == "" {
				t.Fatalf("%s: the refresh token is refused", when)
			}
			if status, _ := a.Userinfo(access); status != http.StatusOK {
				t.Fatalf("%s: userinfo %d", when, status)
			}
			again := a.Request(app, "prompt", "none")
			if v.Get(again.Path()).Answer(again).Get("code") == "" {
				t.Fatalf("%s: the session is gone", when)
			}
		}
	}
	secrets := []string{rig.TestSecret}
	for i := range 2 { // the second time there is something of a secret that has gone already
		next := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune('a'+i)), 32)))
		last := secrets[len(secrets)-1]
		secrets = append(secrets, next)

		// Who has just asked for a code types it after each step.
		r := a.Request(app, "prompt", "login")
		sent := len(a.Inbox("ada@example.com"))
		p := known.Enter(r, "ada@example.com").Is(200)
		code := a.Code("ada@example.com", sent+1)
		restart(last, next)
		goesOn("both known")
		restart(next, last)
		goesOn("the new one in use")
		known.Submit(p, "/verify", "code", code).Answer(r)
		a.Env = append(a.Env, "IDP_SECRET="+next, "IDP_SECRET_PREVIOUS="+last)
		a.Run("secret", "rotate")
		goesOn("sealed anew")
		restart(next, "")
		goesOn("the old one gone")
		if out := a.Run("audit", "verify"); !strings.Contains(out, "holds") && !strings.Contains(out, "whole") {
			t.Errorf("audit verify: %s", out)
		}
		if list := a.Run("suppression", "list"); !strings.Contains(list, "@example.com") {
			t.Errorf("the suppression list: %s", list)
		}
		var log []struct {
			Kind     string
			User     string
			Personal map[string]any
			Erased   bool
		}
		if err := json.Unmarshal([]byte(a.Run("audit", "list", "--limit", "100", "--json")), &log); err != nil {
			t.Fatal(err)
		}
		kinds := map[string]bool{}
		for _, e := range log {
			kinds[e.Kind] = true
			if e.Erased {
				t.Errorf("what is personal of %s does not open", e.Kind)
			}
			if (e.Kind == "application.created" || e.Kind == "user.registered") && e.Personal["ip"] == nil && e.Personal["agent"] == nil {
				t.Errorf("%s has nothing personal: %+v", e.Kind, e)
			}
		}
		if !kinds["secret.rotated"] || !kinds["user.registered"] {
			t.Errorf("the log has %v", kinds)
		}
	}
	// The old secret alone opens nothing: a server that has it does not start.
	a.Env = append(a.Env, "IDP_SECRET="+rig.TestSecret, "IDP_SECRET_PREVIOUS=")
	if out, err := a.Try("client", "list"); err == nil || !strings.Contains(out, "not the one") {
		t.Errorf("the old secret is still taken: %s %v", out, err)
	}
}
