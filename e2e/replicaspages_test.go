package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"
)

// patch changes something.
func (m management) patch(path string, body map[string]any) {
	m.T.Helper()
	req := rig.Must(http.NewRequestWithContext(m.T.Context(), http.MethodPatch, m.Endpoint+"/api"+path, bytes.NewReader(rig.Must(json.Marshal(body)))))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+m.token)
	resp := rig.Must(http.DefaultClient.Do(req))
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		m.T.Fatalf("PATCH /api%s: %d", path, resp.StatusCode)
	}
}

// agreed is how old what a replica shows may be.
const agreed = 5 * time.Second

// What is set over one replica's API is on the pages of all within 5 s, and decides there:
// also over a code that was asked for before.
func TestReplicasFollowTheExperience(t *testing.T) {
	t.Parallel()
	a, b, front := rig.NewReplicas(t)
	a.Run("connector", "set", "inbox")
	a.Start()
	b.Start()
	app, m := a.NewClient(), newManagement(a)
	register := a.Request(app, "first_screen", "register")
	replicas := []*rig.Server{a, b}
	for _, s := range replicas { // which keep it in memory now
		front.Route(s)
		rig.NewVisitor(t, s).Get(register.Path()).Is(200, "Create your Bookstore account")
	}
	front.Route(b)
	eve := rig.NewVisitor(t, b)
	code := eve.Submit(eve.Get(register.Path()), "/register", "email", "eve@example.com").Is(200)
	typed := a.Code("eve@example.com", 1)

	front.Route(a)
	m.patch("/sign-in-exp", map[string]any{
		"signInMode": "SignIn", "languageInfo": map[string]any{"autoDetect": true, "fallbackLanguage": "de"},
		"color": map[string]any{"primaryColor": "#00695c", "isDarkModeEnabled": true, "darkPrimaryColor": "#4db6ac"},
	})
	set := time.Now()
	sheet := regexp.MustCompile(`href="(/theme\.css[^"]*)"`)
	for _, s := range replicas {
		front.Route(s)
		v := rig.NewVisitor(t, s)
		var p rig.Page
		for { // how long an answer takes, is another thing
			asked := time.Now()
			if p = v.Get(register.Path()).Is(200); strings.Contains(p.Text(), "Bei Bookstore anmelden") {
				break
			}
			if asked.Sub(set) > agreed {
				t.Fatalf("%s after the change: %s", asked.Sub(set), p.Text())
			}
			time.Sleep(20 * time.Millisecond)
		}
		href := sheet.FindStringSubmatch(p.Body)
		if href == nil {
			t.Fatalf("no style sheet: %s", p.Body)
		}
		theme := v.Get(strings.ReplaceAll(href[1], "&amp;", "&")).Is(200)
		if !strings.Contains(theme.Body, "--fill:#00695c") || !strings.Contains(theme.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%v %s", theme.Header, theme.Body)
		}
		v.Submit(p, "/sign-in", "email", "new@example.com").Is(200)
	}
	if l := a.Letter("new@example.com", 1); l.Code != "" {
		t.Errorf("a code was mailed: %+v", l)
	}
	t.Logf("both after %s", time.Since(set).Round(time.Millisecond))
	for _, s := range replicas {
		front.Route(s)
		eve.Submit(code, "/verify", "code", typed).Is(http.StatusUnprocessableEntity)
	}
}
