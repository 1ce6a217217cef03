package e2e_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// own signs in to the account page.
func (v *visitor) own(email string) page {
	v.t.Helper()
	n := len(v.s.inbox(email))
	p := v.submit(v.get("/register").is(200), "/register", "email", email)
	p = v.submit(p, "/verify", "code", v.s.code(email, n+1))
	if p.form("/verify") != nil { // it exists: sign in to it instead
		v.submit(p, "/verify")
	}
	return v.get("/account").is(200, email)
}

func hidden(p page, action string) url.Values {
	values := url.Values{}
	if f := p.form(action); f != nil {
		for c := range f.Descendants() {
			if c.Data == "input" {
				values.Set(attr(c, "name"), attr(c, "value"))
			}
		}
	}
	return values
}

func TestAccountFormsOfStrangers(t *testing.T) {
	t.Parallel()
	s := newServer(t, "sqlite")
	s.start()
	ada, ada2, eve := newVisitor(t, s), newVisitor(t, s), newVisitor(t, s)
	ada.own("ada@example.com")
	page2 := ada2.own("ada@example.com")
	evil := eve.own("eve@example.com")
	page1 := ada.get("/account").is(200)
	if p := page1; p.header.Get("Cache-Control") != "no-store" || p.header.Get("Access-Control-Allow-Origin") != "" || !strings.Contains(p.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("%v", p.header)
	}
	good := hidden(page1, "/account/sign-out").Get("t")
	foreign := map[string]string{"none": "", "another browser's": hidden(page2, "/account/sign-out").Get("t"), "another person's": hidden(evil, "/account/sign-out").Get("t"), "garbage": "AAAA", "odd": "\x00\xff"}
	ask := ada.get("/oidc/session/end").is(200)
	o := hidden(ask, "/sign-out").Get("o")
	evilO := hidden(eve.get("/oidc/session/end").is(200), "/sign-out").Get("o")
	for name, token := range foreign {
		for _, path := range []string{"/account/sign-out", "/account/sign-out-everywhere", "/account/sessions", "/sign-out"} {
			ada.do(http.MethodPost, path, url.Values{"t": {token}, "session": {hidden(page1, "/account/sessions").Get("session")}, "o": {o}})
			if len(hidden(ada.get("/account").is(200), "/account/sessions")) == 0 {
				t.Fatalf("%s with %s token did something", path, name)
			}
		}
	}
	for _, site := range [][]string{{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, {"Sec-Fetch-Site", "same-site", "Origin", "null"}, {"Origin", "https://evil.example"}, {"Origin", "null", "Sec-Fetch-Site", "cross-site"}} {
		for _, path := range []string{"/account/sign-out", "/account/sign-out-everywhere", "/account/sessions", "/sign-out", "/choose", "/recover"} {
			p := ada.do(http.MethodPost, path, url.Values{"t": {good}, "o": {o}}, site...)
			if p.status != 403 {
				t.Errorf("%s from %v: %d", path, site, p.status)
			}
		}
	}
	// Somebody else's sealed sign-out, and another person's session by its name.
	ada.do(http.MethodPost, "/sign-out", url.Values{"t": {good}, "o": {evilO}})
	eve.do(http.MethodPost, "/account/sessions", url.Values{"t": {hidden(evil, "/account/sign-out").Get("t")}, "session": {hidden(page1, "/account/sessions").Get("session")}})
	ada2.get("/account").is(200, "ada@example.com")
	ada.get("/account").is(200, "ada@example.com")
	// Fields twice, too long, of another kind; methods; odd addresses.
	for _, body := range []url.Values{{"t": {good, good}}, {"t": {strings.Repeat("A", 2000)}}, {"t": {good}, "o": {strings.Repeat("A", 30000)}}, {"t": {good}, "session": {"\xff"}}} {
		for _, path := range []string{"/account/sessions", "/sign-out"} {
			ada.do(http.MethodPost, path, body)
		}
	}
	for _, path := range []string{"/account?done=%00", "/account?done=ended&done=x", "/account?lang=%ff", "/sign-out?o=" + strings.Repeat("A", 20000), "/sign-out", "/signed-out?lang=ja", "//evil.example/account", "/account/../account", "/account/", "/sign-out?o=%zz", "/account?" + strings.Repeat("a=b&", 9000)} {
		p := ada.get(path)
		if strings.Contains(p.body, `href="//evil`) || strings.Contains(p.leaves, "evil") {
			t.Errorf("%s leads to %s", path, p.leaves)
		}
	}
	for _, path := range []string{"/account", "/account/sign-out", "/sign-out", "/signed-out", "/oidc/session/end", "/oidc/token/introspection"} {
		p := ada.do(http.MethodOptions, path, nil, "Origin", "https://shop.example", "Access-Control-Request-Method", "POST")
		if p.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("CORS on %s", path)
		}
	}
	ada.get("/account").is(200, "ada@example.com")
	ada.do(http.MethodPost, "/account/sign-out-everywhere", url.Values{"t": {good}})
	if p := ada2.get("/account"); strings.Contains(p.text(), "ada@example.com") {
		t.Error("signed out everywhere, and still in")
	}
	log := s.log.String()
	for name, secret := range map[string]string{"token": good, "o": o, "address": "ada@example.com"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds the %s", name)
		}
	}
}

// A long state of characters that JSON escapes: the question cannot be answered.
func TestLongStateOfSignOut(t *testing.T) {
	t.Parallel()
	s := newServer(t, "sqlite")
	s.start()
	app := s.newClient("--type", "traditional", "--redirect-uri", callback, "--post-logout-redirect-uri", "https://shop.example/bye")
	v := newVisitor(t, s)
	v.own("ada@example.com")
	for name, state := range map[string]string{"4 kB of angles": strings.Repeat("<", 4000), "12 kB": strings.Repeat("a", 12000), "4 kB of bytes": strings.Repeat("\xff", 4000)} {
		q := url.Values{"client_id": {app.ID}, "post_logout_redirect_uri": {"https://shop.example/bye"}, "state": {state}}
		p := v.get("/oidc/session/end?" + q.Encode())
		if p.form("/sign-out") == nil {
			t.Errorf("%s: %d %s", name, p.status, p.text())
			continue
		}
		form := hidden(p, "/sign-out")
		form.Set("t", "AAAA") // only asked again
		if p := v.do(http.MethodPost, "/sign-out", form); p.status != 403 {
			t.Errorf("%s, answered: %d %s", name, p.status, p.text())
		}
	}
}

// Whether an address has an account must not show anywhere on the way of a recovery.
func TestRecoverIsNoOracle(t *testing.T) {
	t.Parallel()
	s := newServer(t, "sqlite")
	s.start()
	newVisitor(t, s).own("known@example.com")
	seen := map[string][]string{}
	for _, email := range []string{"known@example.com", "other@example.com"} {
		v := newVisitor(t, s)
		note := func(p page) page {
			h := p.header.Clone()
			for _, drop := range []string{"Date", "X-Request-Id", "Content-Length", "Set-Cookie"} {
				h.Del(drop)
			}
			var names []string
			for k, vs := range h {
				names = append(names, k+"="+strings.Join(vs, ","))
			}
			slices.Sort(names)
			seen[email] = append(seen[email], strings.ReplaceAll(strings.Join(names, ";")+" "+p.text(), email, ""))
			return p
		}
		p := note(v.submit(v.get("/recover").is(200), "/recover", "email", email))
		wrong := "000000"
		for range 5 {
			note(v.submit(p, "/verify", "code", wrong))
		}
		note(v.submit(v.get("/recover").is(200), "/recover", "email", email))
		note(v.submit(v.get("/sign-in").is(200), "/sign-in", "email", email))
	}
	for i := range seen["known@example.com"] {
		if a, b := seen["known@example.com"][i], seen["other@example.com"][i]; a != b {
			t.Errorf("step %d differs:\n%s\n%s", i, a, b)
		}
	}
}
