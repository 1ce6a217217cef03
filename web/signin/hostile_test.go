package signin_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"idp/web/webtest"
)

// What strangers, broken apps and a missing database do to the pages.

func TestBadForms(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	form := p.Get(webtest.Authorize()).Form("/sign-in", "email", "ada@example.com")
	with := func(name string, values ...string) url.Values {
		out := url.Values{}
		for k, v := range form {
			out[k] = v
		}
		out[name] = values
		return out
	}
	p.Do("POST", "/sign-in", with("email", "a@example.com", "b@example.com")).Want(400, "could not read that")
	p.Do("POST", "/sign-in", with("email", "a\x00@example.com")).Want(400)
	p.Do("POST", "/sign-in", with("email", "a\xff@example.com")).Want(400)
	p.Do("POST", "/sign-in", with("email", strings.Repeat("a", 2000))).Want(400)
	p.Do("POST", "/sign-in", with("r", strings.Repeat("a", 70_000))).Want(413, "too long")
	p.Do("POST", "/sign-in", with("r", "%%%")).Want(400)
	p.Do("POST", "/sign-in", with("r")).Want(400, "Start again in your app")
	p.Get("/sign-in?r=" + strings.Repeat("a", 30_000)).Want(414)
	p.Get("/sign-in?r=%zz").Want(400)
	p.Headers.Set("Content-Type", "multipart/form-data; boundary=x")
	p.Do("POST", "/sign-in", form).Want(400)
	p.Headers.Del("Content-Type")
	p.Headers.Set("Sec-Fetch-Site", "cross-site")
	p.Do("POST", "/sign-in", form).Want(403, "came from another site")
	p.Headers.Del("Sec-Fetch-Site")
	p.Headers.Set("Origin", "https://evil.example")
	p.Do("POST", "/verify", form).Want(403)
	p.Headers.Set("Origin", f.Server.URL)
	p.Do("POST", "/sign-in", form).Want(303)
}

// Safari before 16.4: Referrer-Policy makes it send "Origin: null", and it knows no
// Sec-Fetch-Site.
func TestOldBrowsers(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	p.Headers.Set("Origin", "null")
	page := p.ToCode("/register", "ada@example.com")
	page.Submit("/verify/resend").Want(429, "too soon")
	typed := f.Code("ada@example.com", 1)
	form := page.Form("/verify", "code", typed)
	stranger := f.Person() // its form is as good as another site's: no cookie opens r
	stranger.Headers.Set("Origin", "null")
	stranger.Get(webtest.Authorize())
	stranger.Do("POST", "/verify", form).Want(400, "Start again in your app")
	stranger.Do("POST", "/verify", url.Values{"code": {typed}}).Want(400, "Start again in your app")
	for site, status := range map[string]int{"cross-site": 403, "same-site": 403, "": 403} {
		p.Headers.Set("Sec-Fetch-Site", site)
		p.Do("POST", "/verify", form).Want(status)
	}
	p.Headers.Del("Sec-Fetch-Site")
	p.Headers["Origin"] = []string{"null", "https://evil.example"}
	p.Do("POST", "/verify", form).Want(403)
	p.Headers.Set("Origin", "https://evil.example")
	p.Do("POST", "/verify", form).Want(403)
	p.Headers.Set("Origin", "null")
	page.Submit("/verify", "code", typed).Want(303)
}

func TestWrongMethods(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	r := p.Get(webtest.Authorize()).Form("/sign-in").Get("r")
	for path, allow := range map[string]string{
		"/sign-in": "GET, HEAD, POST", "/register": "GET, HEAD, POST", "/recover": "GET, HEAD, POST", "/choose": "POST", "/verify": "GET, HEAD, POST", "/verify/resend": "GET, HEAD, POST",
		"/verify/link": "GET, HEAD", "/not-me": "GET, HEAD, POST",
		"/verify/status": "GET, HEAD", "/cancel": "GET, HEAD",
	} {
		for _, method := range []string{"PUT", "DELETE", "OPTIONS", "PURGE"} {
			s := p.Do(method, path+"?r="+r, nil).Want(405)
			if s.Header.Get("Allow") != allow || s.Header.Get("Content-Security-Policy") == "" {
				t.Errorf("%s %s: %v", method, path, s.Header)
			}
		}
		get, head := p.Get(path+"?r="+r), p.Do("HEAD", path+"?r="+r, nil)
		if head.Status != get.Status || head.Body != "" || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") || head.Header.Get("Location") != get.Header.Get("Location") && path != "/cancel" {
			t.Errorf("HEAD %s: %d %v, GET: %d %v", path, head.Status, head.Header, get.Status, get.Header)
		}
	}
	p.Do("POST", "/verify/status", url.Values{}).Want(405)
	for _, method := range []string{"PUT", "PURGE", "HEAD"} {
		if s := p.Do(method, "/nowhere", nil).Want(404); s.Header.Get("Allow") != "" {
			t.Error(s.Header)
		}
	}
}

func TestLongStateFits(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	state := strings.Repeat("s+/=", 512)
	p := f.Person()
	first := p.Get(webtest.Authorize("state", state, "first_screen", "register"))
	for _, link := range []string{first.Link("Sign in"), first.Link("日本語")} {
		if len(link) > 8000 {
			t.Errorf("a link of %d bytes", len(link))
		}
	}
	page := first.Submit("/register", "email", "ada@example.com").Follow().Want(200)
	if to := page.Action("/verify/resend"); len(to) > 8000 {
		t.Errorf("a form's address of %d bytes", len(to))
	}
	p.Get(page.Submit("/verify", "code", "").Want(422).Action("/verify")).Want(200, "Enter your code")
	done := page.Submit("/verify", "code", f.Code("ada@example.com", 1)).Want(303)
	if to, _ := url.Parse(done.Header.Get("Location")); to.Query().Get("state") != state {
		t.Error("the state came back changed")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	p.Get(webtest.Authorize("client_id", "nobody")).Want(400, "do not know this app")
	s := p.Get(webtest.Authorize("redirect_uri", "https://shop.example/callbacks")).Want(400, "not registered", "https://shop.example/callback")
	if !strings.Contains(s.Body, "callback<mark>s</mark>") || !strings.Contains(s.Body, "https://shop.example/<mark>o</mark>ther") {
		t.Error(s.Body)
	}
	p.Get(webtest.Authorize("client_id", "nobody", "lang", "ja")).Want(400, "登録されていないアプリです")
}

func TestCancel(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	r := p.Get(webtest.Authorize()).Form("/sign-in").Get("r")
	if to := p.Get("/cancel?r=" + r).Want(303).Header.Get("Location"); !strings.HasPrefix(to, webtest.Callback+"?") || !strings.Contains(to, "access_denied") {
		t.Error(to)
	}
}

func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	page := p.Get(webtest.Authorize())
	code := p.ToCode("/sign-in", "ada@example.com")
	f.Outage.On.Store(true)
	s := page.Submit("/sign-in", "email", "ada@example.com").Want(503, "Back in a moment")
	if s.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	code.Submit("/verify", "code", "123456").Want(503)
	code.Submit("/verify/resend").Want(503)
	p.Get("/verify/status?c=" + code.Form("/verify").Get("c")).Want(503)
	p.Get("/verify?"+code.Form("/verify").Encode()).Want(200, "Enter your code") // needs no database
	f.Outage.On.Store(false)
	p.Get(s.Link("Try again")).Want(200, "Sign in to Bookstore")
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	for _, https := range []bool{false, true} {
		f := webtest.On(t, https)
		p := f.Person()
		first := p.Get(webtest.Authorize())
		code := first.Submit("/sign-in", "email", "ada@example.com").Follow()
		for _, s := range []*webtest.Shown{first, code, p.Get("/sign-in"), p.Get("/nowhere"), p.Get(webtest.Authorize("client_id", "nobody"))} {
			for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
				if got := s.Header.Get(name); got != want {
					t.Errorf("%s is %q", name, got)
				}
			}
			csp := s.Header.Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
				if !strings.Contains(csp, part) {
					t.Errorf("%q lacks %q", csp, part)
				}
			}
			if strings.Contains(csp, "unsafe") || strings.Contains(s.Body, "style=") || strings.Contains(s.Body, "<script>") || strings.Contains(s.Body, " on") && strings.Contains(s.Body, "onclick") {
				t.Error("inline style or script")
			}
			if (s.Header.Get("Strict-Transport-Security") != "") != https {
				t.Errorf("https %t, HSTS %q", https, s.Header.Get("Strict-Transport-Security"))
			}
		}
		if !strings.HasSuffix(code.Header.Get("Content-Security-Policy"), "form-action 'self' https: http://localhost:* http://127.0.0.1:*") {
			t.Error(code.Header.Get("Content-Security-Policy"))
		}
		for _, c := range p.HTTP.Jar.Cookies(webtest.URL(f.Server.URL)) {
			if strings.HasPrefix(c.Name, "__Host-") != https {
				t.Errorf("cookie %s on https=%t", c.Name, https)
			}
		}
	}
}

func TestLogTellsNothing(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	page := p.ToCode("/register", "ada.lovelace@example.com")
	code := f.Code("ada.lovelace@example.com", 1)
	page.Submit("/verify", "code", webtest.Wrong(code))
	done := page.Submit("/verify", "code", code).Want(303)
	to := webtest.URL(done.Header.Get("Location"))
	form := page.Form("/verify")
	for name, secret := range map[string]string{
		"address": "lovelace", "code": code, "wrong code": webtest.Wrong(code), "r": form.Get("r"), "c": form.Get("c"),
		"authorization code": to.Query().Get("code"), "state": "xyz", "challenge": webtest.Challenge,
	} {
		holds := strings.Contains(f.Log.String(), secret)
		if strings.HasSuffix(name, "code") && len(secret) == 6 { // six digits of how long something took are none
			holds = regexp.MustCompile(`\b` + secret + `\b`).MatchString(f.Log.String())
		}
		if holds {
			t.Errorf("the log holds the %s:\n%s", name, f.Log)
		}
	}
	if !strings.Contains(f.Log.String(), "route=/verify") {
		t.Errorf("nothing was logged:\n%s", f.Log)
	}
}

// Whoever breaks requests off makes no errors of ours: those wake operators.
func TestWhoLeavesIsNoFault(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	code := p.ToCode("/register", "ada@example.com")
	var gone atomic.Bool
	handler := f.Handler
	f.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, leave := context.WithCancel(r.Context())
		defer leave()
		if gone.Load() {
			leave()
		}
		handler.ServeHTTP(w, r.WithContext(ctx))
	})
	gone.Store(true)
	for what, ask := range map[string]func(){
		"theme":  func() { p.Get("/theme.css?app=unknown") },
		"status": func() { p.Get("/verify/status?c=" + code.Form("/verify").Get("c")) },
		"guess":  func() { code.Submit("/verify", "code", "000000") },
		"resend": func() { code.Submit("/verify/resend") },
	} {
		before := len(f.Log.String())
		ask()
		if log := f.Log.String()[before:]; !strings.Contains(log, "status=499") || strings.Contains(log, "level=WARN") || strings.Contains(log, "level=ERROR") {
			t.Errorf("%s: %s", what, log)
		}
	}
}
