package signin_test

import (
	"net/url"
	"strings"
	"testing"
)

// What strangers, broken apps and a missing database do to the pages.

func TestBadForms(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	form := p.get(authorize()).form("/sign-in", "email", "ada@example.com")
	with := func(name string, values ...string) url.Values {
		out := url.Values{}
		for k, v := range form {
			out[k] = v
		}
		out[name] = values
		return out
	}
	p.do("POST", "/sign-in", with("email", "a@example.com", "b@example.com")).want(400, "could not read that")
	p.do("POST", "/sign-in", with("email", "a\x00@example.com")).want(400)
	p.do("POST", "/sign-in", with("email", "a\xff@example.com")).want(400)
	p.do("POST", "/sign-in", with("email", strings.Repeat("a", 2000))).want(400)
	p.do("POST", "/sign-in", with("r", strings.Repeat("a", 70_000))).want(413, "too long")
	p.do("POST", "/sign-in", with("r", "%%%")).want(400)
	p.do("POST", "/sign-in", with("r")).want(400, "Start again in your app")
	p.get("/sign-in?r=" + strings.Repeat("a", 30_000)).want(414)
	p.get("/sign-in?r=%zz").want(400)
	p.headers.Set("Content-Type", "multipart/form-data; boundary=x")
	p.do("POST", "/sign-in", form).want(400)
	p.headers.Del("Content-Type")
	p.headers.Set("Sec-Fetch-Site", "cross-site")
	p.do("POST", "/sign-in", form).want(403, "came from another site")
	p.headers.Del("Sec-Fetch-Site")
	p.headers.Set("Origin", "https://evil.example")
	p.do("POST", "/verify", form).want(403)
	p.headers.Set("Origin", f.server.URL)
	p.do("POST", "/sign-in", form).want(303)
}

// Safari before 16.4: Referrer-Policy makes it send "Origin: null", and it knows no
// Sec-Fetch-Site.
func TestOldBrowsers(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	p.headers.Set("Origin", "null")
	page := p.toCode("/register", "ada@example.com")
	page.submit("/verify/resend").want(429, "too soon")
	typed := f.mail("ada@example.com", 1)
	form := page.form("/verify", "code", typed)
	stranger := f.person() // its form is as good as another site's: no cookie opens r
	stranger.headers.Set("Origin", "null")
	stranger.get(authorize())
	stranger.do("POST", "/verify", form).want(400, "Start again in your app")
	stranger.do("POST", "/verify", url.Values{"code": {typed}}).want(400, "Start again in your app")
	for site, status := range map[string]int{"cross-site": 403, "same-site": 403, "": 403} {
		p.headers.Set("Sec-Fetch-Site", site)
		p.do("POST", "/verify", form).want(status)
	}
	p.headers.Del("Sec-Fetch-Site")
	p.headers["Origin"] = []string{"null", "https://evil.example"}
	p.do("POST", "/verify", form).want(403)
	p.headers.Set("Origin", "https://evil.example")
	p.do("POST", "/verify", form).want(403)
	p.headers.Set("Origin", "null")
	page.submit("/verify", "code", typed).want(303)
}

func TestWrongMethods(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	r := p.get(authorize()).form("/sign-in").Get("r")
	for path, allow := range map[string]string{
		"/sign-in": "GET, HEAD, POST", "/register": "GET, HEAD, POST", "/recover": "GET, HEAD, POST", "/choose": "POST", "/verify": "GET, HEAD, POST", "/verify/resend": "GET, HEAD, POST",
		"/verify/status": "GET, HEAD", "/cancel": "GET, HEAD",
	} {
		for _, method := range []string{"PUT", "DELETE", "OPTIONS", "PURGE"} {
			s := p.do(method, path+"?r="+r, nil).want(405)
			if s.header.Get("Allow") != allow || s.header.Get("Content-Security-Policy") == "" {
				t.Errorf("%s %s: %v", method, path, s.header)
			}
		}
		get, head := p.get(path+"?r="+r), p.do("HEAD", path+"?r="+r, nil)
		if head.status != get.status || head.body != "" || head.header.Get("Content-Type") != get.header.Get("Content-Type") || head.header.Get("Location") != get.header.Get("Location") && path != "/cancel" {
			t.Errorf("HEAD %s: %d %v, GET: %d %v", path, head.status, head.header, get.status, get.header)
		}
	}
	p.do("POST", "/verify/status", url.Values{}).want(405)
	for _, method := range []string{"PUT", "PURGE", "HEAD"} {
		if s := p.do(method, "/nowhere", nil).want(404); s.header.Get("Allow") != "" {
			t.Error(s.header)
		}
	}
}

func TestLongStateFits(t *testing.T) {
	t.Parallel()
	f := setup(t)
	state := strings.Repeat("s+/=", 512)
	p := f.person()
	first := p.get(authorize("state", state, "first_screen", "register"))
	for _, link := range []string{first.link("Sign in"), first.link("日本語")} {
		if len(link) > 8000 {
			t.Errorf("a link of %d bytes", len(link))
		}
	}
	page := first.submit("/register", "email", "ada@example.com").follow().want(200)
	if to := page.action("/verify/resend"); len(to) > 8000 {
		t.Errorf("a form's address of %d bytes", len(to))
	}
	p.get(page.submit("/verify", "code", "").want(422).action("/verify")).want(200, "Enter your code")
	done := page.submit("/verify", "code", f.mail("ada@example.com", 1)).want(303)
	if to, _ := url.Parse(done.header.Get("Location")); to.Query().Get("state") != state {
		t.Error("the state came back changed")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	p.get(authorize("client_id", "nobody")).want(400, "do not know this app")
	s := p.get(authorize("redirect_uri", "https://shop.example/callbacks")).want(400, "not registered", "https://shop.example/callback")
	if !strings.Contains(s.body, "callback<mark>s</mark>") || !strings.Contains(s.body, "https://shop.example/<mark>o</mark>ther") {
		t.Error(s.body)
	}
	p.get(authorize("client_id", "nobody", "lang", "ja")).want(400, "登録されていないアプリです")
}

func TestCancel(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	r := p.get(authorize()).form("/sign-in").Get("r")
	if to := p.get("/cancel?r=" + r).want(303).header.Get("Location"); !strings.HasPrefix(to, callback+"?") || !strings.Contains(to, "access_denied") {
		t.Error(to)
	}
}

func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	page := p.get(authorize())
	code := p.toCode("/sign-in", "ada@example.com")
	f.outage.on.Store(true)
	s := page.submit("/sign-in", "email", "ada@example.com").want(503, "Back in a moment")
	if s.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	code.submit("/verify", "code", "123456").want(503)
	code.submit("/verify/resend").want(503)
	p.get("/verify/status?c=" + code.form("/verify").Get("c")).want(503)
	p.get("/verify?"+code.form("/verify").Encode()).want(200, "Enter your code") // needs no database
	f.outage.on.Store(false)
	p.get(s.link("Try again")).want(200, "Sign in to Bookstore")
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	for _, https := range []bool{false, true} {
		f := setupOn(t, https)
		p := f.person()
		first := p.get(authorize())
		code := first.submit("/sign-in", "email", "ada@example.com").follow()
		for _, s := range []*shown{first, code, p.get("/sign-in"), p.get("/nowhere"), p.get(authorize("client_id", "nobody"))} {
			for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
				if got := s.header.Get(name); got != want {
					t.Errorf("%s is %q", name, got)
				}
			}
			csp := s.header.Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
				if !strings.Contains(csp, part) {
					t.Errorf("%q lacks %q", csp, part)
				}
			}
			if strings.Contains(csp, "unsafe") || strings.Contains(s.body, "style=") || strings.Contains(s.body, "<script>") || strings.Contains(s.body, " on") && strings.Contains(s.body, "onclick") {
				t.Error("inline style or script")
			}
			if (s.header.Get("Strict-Transport-Security") != "") != https {
				t.Errorf("https %t, HSTS %q", https, s.header.Get("Strict-Transport-Security"))
			}
		}
		if !strings.HasSuffix(code.header.Get("Content-Security-Policy"), "form-action 'self' https: http://localhost:* http://127.0.0.1:*") {
			t.Error(code.header.Get("Content-Security-Policy"))
		}
		for _, c := range p.http.Jar.Cookies(mustParse(f.server.URL)) {
			if strings.HasPrefix(c.Name, "__Host-") != https {
				t.Errorf("cookie %s on https=%t", c.Name, https)
			}
		}
	}
}

func TestLogTellsNothing(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	page := p.toCode("/register", "ada.lovelace@example.com")
	code := f.mail("ada.lovelace@example.com", 1)
	page.submit("/verify", "code", wrong(code))
	done := page.submit("/verify", "code", code).want(303)
	to := mustParse(done.header.Get("Location"))
	form := page.form("/verify")
	for name, secret := range map[string]string{
		"address": "lovelace", "code": code, "wrong code": wrong(code), "r": form.Get("r"), "c": form.Get("c"),
		"authorization code": to.Query().Get("code"), "state": "xyz", "challenge": challenge,
	} {
		if strings.Contains(f.log.String(), secret) {
			t.Errorf("the log holds the %s:\n%s", name, f.log)
		}
	}
	if !strings.Contains(f.log.String(), "route=/verify") {
		t.Errorf("nothing was logged:\n%s", f.log)
	}
}

func mustParse(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}
