package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// patch changes something.
func (m management) patch(path string, body map[string]any) {
	m.t.Helper()
	req := must(http.NewRequestWithContext(m.t.Context(), http.MethodPatch, m.endpoint+"/api"+path, bytes.NewReader(must(json.Marshal(body)))))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+m.token)
	resp := must(http.DefaultClient.Do(req))
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		m.t.Fatalf("PATCH /api%s: %d", path, resp.StatusCode)
	}
}

// agreed is how old what a replica shows may be.
const agreed = 5 * time.Second

// What is set over one replica's API is on the pages of all within 5 s, and decides there:
// also over a code that was asked for before.
func TestReplicasFollowTheExperience(t *testing.T) {
	t.Parallel()
	a, b, front := newReplicas(t)
	a.run("connector", "set", "inbox")
	a.start()
	b.start()
	app, m := a.newClient(), a.management()
	register := a.request(app, "first_screen", "register")
	replicas := []*server{a, b}
	for _, s := range replicas { // which keep it in memory now
		front.route(s)
		newVisitor(t, s).get(register.path()).is(200, "Create your Bookstore account")
	}
	front.route(b)
	eve := newVisitor(t, b)
	code := eve.submit(eve.get(register.path()), "/register", "email", "eve@example.com").is(200)
	typed := a.code("eve@example.com", 1)

	front.route(a)
	m.patch("/sign-in-exp", map[string]any{
		"signInMode": "SignIn", "languageInfo": map[string]any{"autoDetect": true, "fallbackLanguage": "de"},
		"color": map[string]any{"primaryColor": "#00695c", "isDarkModeEnabled": true, "darkPrimaryColor": "#4db6ac"},
	})
	set := time.Now()
	sheet := regexp.MustCompile(`href="(/theme\.css[^"]*)"`)
	for _, s := range replicas {
		front.route(s)
		v := newVisitor(t, s)
		p := v.get(register.path()).is(200)
		for ; !strings.Contains(p.text(), "Bei Bookstore anmelden"); p = v.get(register.path()).is(200) {
			if time.Since(set) > agreed {
				t.Fatalf("%s after the change: %s", time.Since(set), p.text())
			}
			time.Sleep(20 * time.Millisecond)
		}
		href := sheet.FindStringSubmatch(p.body)
		if href == nil {
			t.Fatalf("no style sheet: %s", p.body)
		}
		theme := v.get(strings.ReplaceAll(href[1], "&amp;", "&")).is(200)
		if !strings.Contains(theme.body, "--fill:#00695c") || !strings.Contains(theme.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%v %s", theme.header, theme.body)
		}
		v.submit(p, "/sign-in", "email", "new@example.com").is(200)
	}
	if l := a.letter("new@example.com", 1); l.Code != "" {
		t.Errorf("a code was mailed: %+v", l)
	}
	t.Logf("both after %s", time.Since(set).Round(time.Millisecond))
	for _, s := range replicas {
		front.route(s)
		eve.submit(code, "/verify", "code", typed).is(http.StatusUnprocessableEntity)
	}
}
