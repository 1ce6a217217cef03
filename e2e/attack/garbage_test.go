package attack_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// public are the addresses that anybody can call, with the parameters that they read.
var public = map[string][]string{
	"/sign-in": {"r", "email", "lang", "agree", "t"}, "/register": {"r", "email", "agree"}, "/recover": {"r", "email"}, "/verify": {"r", "c", "code", "confirm"},
	"/verify/resend": {"r", "c"}, "/verify/status": {"r", "c"}, "/verify/link": {"t", "lang"}, "/not-me": {"t", "lift"}, "/cancel": {"r"}, "/choose": {"r", "t", "choice"},
	"/account": {"lang", "done"}, "/account/sign-out": {"t"}, "/account/sign-out-everywhere": {"t"}, "/account/sessions": {"t", "session"}, "/sign-out": {"o", "t"}, "/signed-out": {"lang"},
	"/console": {"lang"}, "/console/users": {"q", "after", "page"}, "/console/enter": {"t"}, "/console/sign-out": {"t"}, "/console/applications/x": {"t"},
	"/oidc/auth":  {"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt", "max_age", "login_hint", "id_token_hint", "ui_locales", "resource", "one_time_token", "first_screen", "response_mode", "request", "claims", "display", "acr_values"},
	"/oidc/token": {"grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "refresh_token", "scope", "resource", "client_assertion", "client_assertion_type", "audience"},
	"/oidc/me":    {"access_token"}, "/oidc/token/revocation": {"token", "token_type_hint", "client_id", "client_secret"}, "/oidc/token/introspection": {"token", "client_id", "client_secret"},
	"/oidc/session/end": {"id_token_hint", "post_logout_redirect_uri", "client_id", "state", "logout_hint", "ui_locales"}, "/oidc/jwks": {"x"}, "/oidc/.well-known/openid-configuration": {"x"},
	"/hooks/ses": {"x"}, "/api/users": {"page", "page_size", "search", "after"}, "/api/swagger.json": {"x"}, "/healthz": {"x"}, "/readyz": {"x"}, "/static/x": {"x"}, "/pictures/x": {"x"}, "/nothing": {"x"},
}

var garbage = map[string]string{
	"NUL": "a\x00b", "bad UTF-8": "\xff\xfe\xc0\xaf", "a surrogate": "\xed\xa0\x80", "line breaks": "a\r\nSet-Cookie: x=y", "60 kB": strings.Repeat("A", 60<<10), "a number": "99999999999999999999999", "minus": "-1",
	"HTML": `"'><svg/onload=alert(1)>`, "SQL": `' OR 1=1; --`, "a template": "{{.}}${7*7}%s%n", "a path": "../../../../etc/passwd%00", "an array": "[]", "JSON": `{"$gt":""}`, "an emoji": "🦄\u202e\u0000", "nothing": "",
}

// Everything that is read is sent as garbage, one parameter after the other, by GET and by POST: no failure,
// no echo that runs, and the server is as quick afterwards.
func TestGarbage(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		b := at.browser()
		good := at.replicas[0].Request(at.app).Params
		p := b.ask("ada@example.com")
		calls := 0
		// What else is in a call is good, so that it gets as far as it can: to the database.
		random := strings.Repeat("A", 43)
		app := url.Values{"client_id": {at.app.ID}, "client_secret": {at.app.Secret}}
		rest := map[string][]url.Values{
			"/oidc/auth":                {good},
			"/oidc/token/revocation":    {app, {"token": {random}}},
			"/oidc/token/introspection": {app, {"token": {random}}},
			"/oidc/session/end":         {{"client_id": {at.app.ID}, "state": {"x"}}},
			"/oidc/token": {app, {"grant_type": {"authorization_code"}, "code": {random}, "redirect_uri": {good.Get("redirect_uri")}, "code_verifier": {random}},
				{"refresh_token": {random}}},
		}
		for path, names := range public {
			for _, name := range names {
				for what, text := range garbage {
					v := url.Values{}
					for _, some := range rest[path] {
						for k := range some {
							v.Set(k, some.Get(k))
						}
					}
					if path == "/oidc/token" && (name == "refresh_token" || name == "scope" || name == "resource") {
						v.Set("grant_type", "refresh_token") // who redeems a code brings none of them
					}
					for _, k := range []string{"r", "c"} {
						v.Set(k, p.verify.fields.Get(k))
					}
					v.Set(name, text)
					calls += 2
					for _, a := range []answer{b.raw(http.MethodGet, path+"?"+v.Encode(), ""), b.post(path, v)} {
						if strings.Contains(a.body, "<svg/onload") || strings.Contains(a.header.Get("Set-Cookie"), "x=y") || strings.ContainsAny(a.to, "\r\n\x00") {
							t.Errorf("%s with %s in %s is answered with %s", path, what, name, a)
						}
						if a.status >= 200 && a.status < 300 && strings.Contains(a.header.Get("Content-Type"), "html") && a.header.Get("Content-Security-Policy") == "" {
							t.Errorf("%s with %s in %s: a page without a policy", path, what, name)
						}
					}
				}
				// The same parameter twice, and as an array.
				b.raw(http.MethodGet, path+"?"+name+"=a&"+name+"=b&"+name+"[]=c", "")
				b.raw(http.MethodPost, path, name+"=a&"+name+"=b", "Content-Type", formType)
			}
			for _, a := range []answer{b.raw(http.MethodGet, path+"?%zz&;&=&&%", ""), b.raw(http.MethodPost, path, "%zz;=&", "Content-Type", formType), b.raw(http.MethodGet, path+"?"+strings.Repeat("a=b&", 8000), "")} {
				if a.status == http.StatusOK && path == "/oidc/token" {
					t.Errorf("%s: %s", path, a)
				}
			}
			for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND", "X"} {
				if a := b.raw(method, path, ""); a.status == http.StatusOK && method != "HEAD" && method != "OPTIONS" && !strings.HasPrefix(path, "/console") { // who is not signed in there is asked to be, whatever they wanted
					t.Errorf("%s %s: %s", method, path, a)
				}
			}
		}
		t.Logf("%d calls with garbage", calls)

		// Bodies of another kind, too large, cut, deep.
		deep := strings.Repeat(`{"a":`, 20000) + strings.Repeat("}", 20000)
		var parts bytes.Buffer
		for i := range 2000 {
			fmt.Fprintf(&parts, "--b\r\nContent-Disposition: form-data; name=\"email%d\"; filename=\"../%d\"\r\n\r\nx\r\n", i, i)
		}
		for path := range public {
			for kind, body := range map[string]string{"application/json": deep, "multipart/form-data; boundary=b": parts.String(), "multipart/form-data": "--", "text/xml": `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>`,
				formType: "email=" + strings.Repeat("A", 3<<20), formType + "; charset=utf-7": "email=+ADw-script+AD4-", "": "email=x", "\xff": "x", "application/octet-stream": strings.Repeat("\x00", 100<<10)} {
				a := b.raw(http.MethodPost, path, body, "Content-Type", kind)
				if a.status < 300 && path != "/console/enter" { // which asks once more
					t.Errorf("%s takes %.40q of %s: %s", path, body, kind, a)
				}
				if strings.Contains(a.body, "root:") {
					t.Errorf("%s reads files: %s", path, a)
				}
			}
		}
		// Headers.
		for name, values := range map[string][]string{
			"Authorization":   {"Bearer", "Bearer ", "Basic", "Basic !!!", "Basic " + strings.Repeat("A", 9000), "Bearer " + strings.Repeat("A", 9000), "Digest x", "Bearer a b", "Bearer \xff"},
			"Cookie":          {"idp_browser=", "idp_browser=\xff; idp_session=\"", strings.Repeat("a=b; ", 3000), "idp_session=" + strings.Repeat("A", 43) + "; idp_browser=" + strings.Repeat("A", 43), "idp_console=x; idp_lang=../../x"},
			"Accept-Language": {strings.Repeat("de,", 5000), "\xff", "x-y-z;q=9999999", ";;;,", strings.Repeat("a-", 4000)},
			"X-Forwarded-For": {"not an address", strings.Repeat("1.2.3.4, ", 2000), "::1%25x", "\xff", ""}, "Origin": {"null", "\xff", strings.Repeat("h", 9000)}, "Content-Length": {}, "If-None-Match": {strings.Repeat(`"x",`, 4000)}, "Range": {"bytes=0-,-1,5-2", strings.Repeat("0-1,", 3000)},
			"Accept-Encoding": {strings.Repeat("gzip,", 4000)}, "Expect": {"200-maybe"}, "Dpop": {"x"}, "Sec-Purpose": {"prefetch"},
		} {
			for _, value := range values {
				for _, path := range []string{"/account", "/oidc/me", "/api/users", "/oidc/auth?" + good.Encode(), "/console", "/static/x"} {
					at.browser().raw(http.MethodGet, path, "", name, value)
				}
			}
		}
		if a := p.guess(p.code(1)); a.outcome() != in {
			t.Errorf("after all of it nobody can sign in: %s", a)
		}
	})
}
