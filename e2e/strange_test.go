package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"idp/e2e/rig"
)

func TestBadAuthorizationRequests(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite")
	s.Start()
	app := s.NewClient()
	v := rig.NewVisitor(t, s)
	for name, change := range map[string][]string{
		"unknown client": {"client_id", "nobody"},
		"no client":      {"client_id", ""},
		"unregistered":   {"redirect_uri", "https://evil.example/callback"},
		"trailing slash": {"redirect_uri", rig.Callback + "/"},
		"no redirect":    {"redirect_uri", ""},
		"case":           {"redirect_uri", strings.ToUpper(rig.Callback)},
		"huge":           {"state", strings.Repeat("x", 20_000)},
	} {
		p := v.Get(s.Request(app, change...).Path())
		if p.Leaves != "" || p.Status/100 != 4 || !strings.Contains(p.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: status %d, redirect %q: want a page", name, p.Status, p.Leaves)
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
		r := s.Request(app, c.change...)
		if got := v.Get(r.Path()).Answer(r).Get("error"); got != c.want {
			t.Errorf("%s: error %q, want %q", name, got, c.want)
		}
	}
	r := s.Request(app)
	for _, twice := range []string{"client_id", "redirect_uri", "state", "scope"} {
		p := v.Get(r.Path() + "&" + twice + "=" + url.QueryEscape(r.Params.Get(twice)))
		if p.Status == 200 || strings.Contains(p.Leaves, "code=") {
			t.Errorf("%s twice: status %d %s", twice, p.Status, p.Leaves)
		}
	}
	// Extras that make no sense are dropped.
	v.Get(s.Request(app, "first_screen", "nonsense", "interaction_mode", "x", "ui_locales", "zz-!!", "direct_sign_in", "x", "display", "touch").Path()).Is(200)
}

// Everything that a stranger may type or send into the pages.
func TestStrangeInput(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite")
	s.Start()
	app := s.NewClient()
	v := rig.NewVisitor(t, s)
	p := v.Get(s.Request(app).Path()).Is(200)
	for _, email := range []string{"", "ada", "a@b", "ada@example.com\r\nBcc: x@example.com", "a\x00@example.com", "\xff@example.com",
		strings.Repeat("a", 70_000) + "@example.com", "<script>@example.com", "ada@example.com,bob@example.com"} {
		q := v.Submit(p, "/sign-in", "email", email)
		if q.Status/100 != 4 {
			t.Errorf("address %.30q: status %d", email, q.Status)
		}
	}
	for _, path := range []string{"/sign-in", "/register", "/verify", "/verify?r=x&c=y", "/verify?c=%00", "/verify/status", "/verify/status?c=x", "/sign-in?r=AAAA", "/sign-in?r=%ff",
		"/nothing", "/oidc/nothing", "/oidc/auth", "/static/../../etc/passwd", "/verify/resend", "/dev/inbox", "/", "/healthz", "/readyz", "/oidc/jwks", "/oidc/.well-known/openid-configuration"} {
		v.Get(path)
		v.Do(http.MethodPost, path, url.Values{"email": {"x@example.com"}, "r": {"x"}, "c": {"y"}, "code": {"123456"}})
		v.Do(http.MethodPost, path, url.Values{})
		v.Do(http.MethodHead, path, nil)
		v.Do(http.MethodPut, path, nil)
	}
	for _, form := range []url.Values{
		{"grant_type": {"authorization_code"}}, {"grant_type": {"x"}}, {}, {"grant_type": {"refresh_token"}, "refresh_token": {"x"}},
		{"grant_type": {"authorization_code"}, "code": {strings.Repeat("x", 5000)}, "client_id": {app.ID}, "client_secret": {app.Secret}, "redirect_uri": {rig.Callback}},
		{"grant_type": {"authorization_code"}, "code": {"\x00"}, "client_id": {app.ID}, "client_secret": {"wrong"}, "redirect_uri": {rig.Callback}},
		{"grant_type": {"client_credentials"}, "client_id": {app.ID}, "client_secret": {app.Secret}},
	} {
		if q := v.Do(http.MethodPost, "/oidc/token", form); q.Status/100 != 4 {
			t.Errorf("%v: status %d", form, q.Status)
		}
	}
	// A post from another site is refused, a form without our cookie gets a page that helps.
	if q := v.Do(http.MethodPost, "/sign-in", url.Values{"email": {"x@example.com"}}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); q.Status != 403 {
		t.Errorf("cross-site post: %d", q.Status)
	}
	blocked := rig.NewVisitor(t, s)
	blocked.HTTP.Jar = nil
	q := blocked.Submit(blocked.Get(s.Request(app).Path()).Is(200), "/sign-in", "email", "ada@example.com")
	if q.Status/100 != 4 || !strings.Contains(strings.ToLower(q.Text()), "cookie") {
		t.Errorf("without cookies: %d %s", q.Status, q.Text())
	}
}
