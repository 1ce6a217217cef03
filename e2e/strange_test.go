package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestBadAuthorizationRequests(t *testing.T) {
	t.Parallel()
	s := newServer(t, "sqlite")
	s.start()
	app := s.newClient()
	v := newVisitor(t, s)
	for name, change := range map[string][]string{
		"unknown client": {"client_id", "nobody"},
		"no client":      {"client_id", ""},
		"unregistered":   {"redirect_uri", "https://evil.example/callback"},
		"trailing slash": {"redirect_uri", callback + "/"},
		"no redirect":    {"redirect_uri", ""},
		"case":           {"redirect_uri", strings.ToUpper(callback)},
		"huge":           {"state", strings.Repeat("x", 20_000)},
	} {
		p := v.get(s.request(app, change...).path())
		if p.leaves != "" || p.status/100 != 4 || !strings.Contains(p.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: status %d, redirect %q: want a page", name, p.status, p.leaves)
		}
	}
	for name, c := range map[string]struct {
		change []string
		want   string
	}{
		"token":           {[]string{"response_type", "token"}, "unsupported_response_type"},
		"no PKCE":         {[]string{"code_challenge", ""}, "invalid_request"},
		"plain PKCE":      {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"short challenge": {[]string{"code_challenge", "abc"}, "invalid_request"},
		"none with login": {[]string{"prompt", "none login"}, "invalid_request"},
		"request object":  {[]string{"request", "eyJ"}, "request_not_supported"},
		"request uri":     {[]string{"request_uri", "https://x.example/"}, "request_uri_not_supported"},
		"fragment":        {[]string{"response_mode", "fragment"}, "invalid_request"},
	} {
		r := s.request(app, c.change...)
		if got := v.get(r.path()).answer(r).Get("error"); got != c.want {
			t.Errorf("%s: error %q, want %q", name, got, c.want)
		}
	}
	r := s.request(app)
	for _, twice := range []string{"client_id", "redirect_uri", "state", "scope"} {
		p := v.get(r.path() + "&" + twice + "=" + url.QueryEscape(r.params.Get(twice)))
		if p.status == 200 || strings.Contains(p.leaves, "code=") {
			t.Errorf("%s twice: status %d %s", twice, p.status, p.leaves)
		}
	}
	// Extras that make no sense are dropped.
	v.get(s.request(app, "first_screen", "nonsense", "interaction_mode", "x", "ui_locales", "zz-!!", "direct_sign_in", "x", "display", "touch").path()).is(200)
}

// Everything that a stranger may type or send into the pages.
func TestStrangeInput(t *testing.T) {
	t.Parallel()
	s := newServer(t, "sqlite")
	s.start()
	app := s.newClient()
	v := newVisitor(t, s)
	p := v.get(s.request(app).path()).is(200)
	for _, email := range []string{"", "ada", "a@b", "ada@example.com\r\nBcc: x@example.com", "a\x00@example.com", "\xff@example.com",
		strings.Repeat("a", 70_000) + "@example.com", "<script>@example.com", "ada@example.com,bob@example.com"} {
		q := v.submit(p, "/sign-in", "email", email)
		if q.status/100 != 4 {
			t.Errorf("address %.30q: status %d", email, q.status)
		}
	}
	for _, path := range []string{"/sign-in", "/register", "/verify", "/verify?r=x&c=y", "/verify?c=%00", "/verify/status", "/verify/status?c=x", "/sign-in?r=AAAA", "/sign-in?r=%ff",
		"/nothing", "/oidc/nothing", "/oidc/auth", "/static/../../etc/passwd", "/verify/resend", "/dev/inbox", "/", "/healthz", "/readyz", "/oidc/jwks", "/oidc/.well-known/openid-configuration"} {
		v.get(path)
		v.do(http.MethodPost, path, url.Values{"email": {"x@example.com"}, "r": {"x"}, "c": {"y"}, "code": {"123456"}})
		v.do(http.MethodPost, path, url.Values{})
		v.do(http.MethodHead, path, nil)
		v.do(http.MethodPut, path, nil)
	}
	for _, form := range []url.Values{
		{"grant_type": {"authorization_code"}}, {"grant_type": {"x"}}, {}, {"grant_type": {"refresh_token"}, "refresh_token": {"x"}},
		{"grant_type": {"authorization_code"}, "code": {strings.Repeat("x", 5000)}, "client_id": {app.ID}, "client_secret": {app.Secret}, "redirect_uri": {callback}},
		{"grant_type": {"authorization_code"}, "code": {"\x00"}, "client_id": {app.ID}, "client_secret": {"wrong"}, "redirect_uri": {callback}},
		{"grant_type": {"client_credentials"}, "client_id": {app.ID}, "client_secret": {app.Secret}},
	} {
		if q := v.do(http.MethodPost, "/oidc/token", form); q.status/100 != 4 {
			t.Errorf("%v: status %d", form, q.status)
		}
	}
	// A post from another site is refused, a form without our cookie gets a page that helps.
	if q := v.do(http.MethodPost, "/sign-in", url.Values{"email": {"x@example.com"}}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); q.status != 403 {
		t.Errorf("cross-site post: %d", q.status)
	}
	blocked := newVisitor(t, s)
	blocked.http.Jar = nil
	q := blocked.submit(blocked.get(s.request(app).path()).is(200), "/sign-in", "email", "ada@example.com")
	if q.status/100 != 4 || !strings.Contains(strings.ToLower(q.text()), "cookie") {
		t.Errorf("without cookies: %d %s", q.status, q.text())
	}
}
