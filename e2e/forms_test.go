package e2e_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"idp/e2e/rig"
)

func TestAccountFormsOfStrangers(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite")
	s.Start()
	ada, ada2, eve := rig.NewVisitor(t, s), rig.NewVisitor(t, s), rig.NewVisitor(t, s)
	ada.Own("ada@example.com")
	page2 := ada2.Own("ada@example.com")
	evil := eve.Own("eve@example.com")
	page1 := ada.Get("/account").Is(200)
	if p := page1; p.Header.Get("Cache-Control") != "no-store" || p.Header.Get("Access-Control-Allow-Origin") != "" || !strings.Contains(p.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("%v", p.Header)
	}
	good := rig.Hidden(page1, "/account/sign-out").Get("t")
	foreign := map[string]string{"none": "", "another browser's": rig.Hidden(page2, "/account/sign-out").Get("t"), "another person's": rig.Hidden(evil, "/account/sign-out").Get("t"), "garbage": "AAAA", "odd": "\x00\xff"}
	ask := ada.Get("/oidc/session/end").Is(200)
	o := rig.Hidden(ask, "/sign-out").Get("o")
	evilO := rig.Hidden(eve.Get("/oidc/session/end").Is(200), "/sign-out").Get("o")
	for name, token := range foreign {
		for _, path := range []string{"/account/sign-out", "/account/sign-out-everywhere", "/account/sessions", "/sign-out"} {
			ada.Do(http.MethodPost, path, url.Values{"t": {token}, "session": {rig.Hidden(page1, "/account/sessions").Get("session")}, "o": {o}})
			if len(rig.Hidden(ada.Get("/account").Is(200), "/account/sessions")) == 0 {
				t.Fatalf("%s with %s token did something", path, name)
			}
		}
	}
	for _, site := range [][]string{{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, {"Sec-Fetch-Site", "same-site", "Origin", "null"}, {"Origin", "https://evil.example"}, {"Origin", "null", "Sec-Fetch-Site", "cross-site"}} {
		for _, path := range []string{"/account/sign-out", "/account/sign-out-everywhere", "/account/sessions", "/sign-out", "/choose", "/recover"} {
			p := ada.Do(http.MethodPost, path, url.Values{"t": {good}, "o": {o}}, site...)
			if p.Status != 403 {
				t.Errorf("%s from %v: %d", path, site, p.Status)
			}
		}
	}
	// Somebody else's sealed sign-out, and another person's session by its name.
	ada.Do(http.MethodPost, "/sign-out", url.Values{"t": {good}, "o": {evilO}})
	eve.Do(http.MethodPost, "/account/sessions", url.Values{"t": {rig.Hidden(evil, "/account/sign-out").Get("t")}, "session": {rig.Hidden(page1, "/account/sessions").Get("session")}})
	ada2.Get("/account").Is(200, "ada@example.com")
	ada.Get("/account").Is(200, "ada@example.com")
	// Fields twice, too long, of another kind; methods; odd addresses.
	for _, body := range []url.Values{{"t": {good, good}}, {"t": {strings.Repeat("A", 2000)}}, {"t": {good}, "o": {strings.Repeat("A", 30000)}}, {"t": {good}, "session": {"\xff"}}} {
		for _, path := range []string{"/account/sessions", "/sign-out"} {
			ada.Do(http.MethodPost, path, body)
		}
	}
	for _, path := range []string{"/account?done=%00", "/account?done=ended&done=x", "/account?lang=%ff", "/sign-out?o=" + strings.Repeat("A", 20000), "/sign-out", "/signed-out?lang=ja", "//evil.example/account", "/account/../account", "/account/", "/sign-out?o=%zz", "/account?" + strings.Repeat("a=b&", 9000)} {
		p := ada.Get(path)
		if strings.Contains(p.Body, `href="//evil`) || strings.Contains(p.Leaves, "evil") {
			t.Errorf("%s leads to %s", path, p.Leaves)
		}
	}
	for _, path := range []string{"/account", "/account/sign-out", "/sign-out", "/signed-out", "/oidc/session/end", "/oidc/token/introspection"} {
		p := ada.Do(http.MethodOptions, path, nil, "Origin", "https://shop.example", "Access-Control-Request-Method", "POST")
		if p.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("CORS on %s", path)
		}
	}
	ada.Get("/account").Is(200, "ada@example.com")
	ada.Do(http.MethodPost, "/account/sign-out-everywhere", url.Values{"t": {good}})
	if p := ada2.Get("/account"); strings.Contains(p.Text(), "ada@example.com") {
		t.Error("signed out everywhere, and still in")
	}
	log := s.Log.String()
	for name, secret := range map[string]string{"token": good, "o": o, "address": "ada@example.com"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds the %s", name)
		}
	}
}

// A long state of characters that JSON escapes: the question cannot be answered.
func TestLongStateOfSignOut(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite")
	s.Start()
	app := s.NewClient("--type", "traditional", "--redirect-uri", rig.Callback, "--post-logout-redirect-uri", "https://shop.example/bye")
	v := rig.NewVisitor(t, s)
	v.Own("ada@example.com")
	for name, state := range map[string]string{"4 kB of angles": strings.Repeat("<", 4000), "12 kB": strings.Repeat("a", 12000), "4 kB of bytes": strings.Repeat("\xff", 4000)} {
		q := url.Values{"client_id": {app.ID}, "post_logout_redirect_uri": {"https://shop.example/bye"}, "state": {state}}
		p := v.Get("/oidc/session/end?" + q.Encode())
		if p.Form("/sign-out") == nil {
			t.Errorf("%s: %d %s", name, p.Status, p.Text())
			continue
		}
		form := rig.Hidden(p, "/sign-out")
		form.Set("t", "AAAA") // only asked again
		if p := v.Do(http.MethodPost, "/sign-out", form); p.Status != 403 {
			t.Errorf("%s, answered: %d %s", name, p.Status, p.Text())
		}
	}
}

// late is what changes while seconds pass, which may be more for the one address than for the other.
var late = regexp.MustCompile(`Retry-After=\d+|\b\d:\d\d\b|The mail (is on its way …|has been sent\.)`)

// Whether an address has an account must not show anywhere on the way of a recovery.
func TestRecoverIsNoOracle(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite")
	s.Start()
	rig.NewVisitor(t, s).Own("known@example.com")
	seen := map[string][]string{}
	for _, email := range []string{"known@example.com", "other@example.com"} {
		v := rig.NewVisitor(t, s)
		note := func(p rig.Page) rig.Page {
			h := p.Header.Clone()
			for _, drop := range []string{"Date", "X-Request-Id", "Content-Length", "Set-Cookie"} {
				h.Del(drop)
			}
			var names []string
			for k, vs := range h {
				names = append(names, k+"="+strings.Join(vs, ","))
			}
			slices.Sort(names)
			seen[email] = append(seen[email], late.ReplaceAllString(strings.ReplaceAll(strings.Join(names, ";")+" "+p.Text(), email, ""), "…"))
			return p
		}
		p := note(v.Submit(v.Get("/recover").Is(200), "/recover", "email", email))
		wrong := "000000"
		for range 5 {
			note(v.Submit(p, "/verify", "code", wrong))
		}
		note(v.Submit(v.Get("/recover").Is(200), "/recover", "email", email))
		note(v.Submit(v.Get("/sign-in").Is(200), "/sign-in", "email", email))
	}
	for i := range seen["known@example.com"] {
		if a, b := seen["known@example.com"][i], seen["other@example.com"][i]; a != b {
			t.Errorf("step %d differs:\n%s\n%s", i, a, b)
		}
	}
}
