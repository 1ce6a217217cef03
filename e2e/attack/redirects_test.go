package attack_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"idp/e2e/rig"
)

// Whatever an address to go back to looks like, a browser is sent to one that is registered,
// letter by letter, or stays here.
func TestRedirectTricks(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		s := at.replicas[0]
		const home = "https://shop.example/callback"
		shop := s.NewClient("--type", "traditional", "--redirect-uri", home, "--post-logout-redirect-uri", rig.Goodbye)
		native := s.NewClient("--type", "native", "--redirect-uri", "http://127.0.0.1/cb", "--redirect-uri", "http://[::1]/cb", "--redirect-uri", "com.example.shop:/cb")
		ada := at.account("ada@example.com")
		tricks := []string{
			"https://evil.example/callback", "//evil.example/callback", "/callback", "https:evil.example", "https:///evil.example", `https:\\evil.example`, "https://shop.example@evil.example/callback", "https://evil.example#shop.example/callback",
			"https://shop.example:x@evil.example/callback", "https://shop.example.evil.example/callback", "https://evil.example/https://shop.example/callback", "https://shop.example%2eevil.example/callback", "https://shop.example%00.evil.example/callback",
			`https://shop.example\@evil.example/callback`, `https://shop.example\.evil.example/callback`, "https://shop.example/callback/", "https://shop.example/callback/..", "https://shop.example/callback/../evil", "https://shop.example/callback/%2e%2e/evil", "https://shop.example/./callback",
			"https://shop.example//callback", "https://SHOP.example/callback", "HTTPS://shop.example/callback", "https://shop.example/CALLBACK", "https://shop.example:443/callback", "https://shop.example:8443/callback", "http://shop.example/callback", "https://shop.example./callback",
			"https://shop.example/callback?", "https://shop.example/callback?x=y", "https://shop.example/callback&x=y", "https://shop.example/callback#", "https://shop.example/callback#x", "https://shop.example/callback%23x", "https://shop.example/callback;x", "https://shop.example/callback ", " https://shop.example/callback",
			"https://shop.example/callback\r\nLocation: https://evil.example", "https://shop.example/callback\x00", "https://shop.example/callback\t", "https://shop.example/ca\tllback", "https://shop.example/callba%63k", "https://ѕhop.example/callback", "https://shop。example/callback",
			"javascript:alert(1)//https://shop.example/callback", "data:text/html,https://shop.example/callback", "https://shop.example/callback,https://evil.example", "https://shop.example/callback https://evil.example", "com.example.shop:/cb", "http://127.0.0.1/cb", "about:blank", "*", "https://*.example/callback", rig.Goodbye, at.endpoint + "/account",
		}
		nativeTricks := []string{"http://127.0.0.1@evil.example/cb", "http://127.0.0.1:80@evil.example/cb", "http://127.0.0.1:8080.evil.example/cb", "http://127.0.0.1.evil.example/cb", "http://127.0.0.2/cb", "http://0.0.0.0/cb", "http://2130706433/cb", "http://0x7f.1/cb", "http://127.1/cb", "http://localhost/cb", "http://127.0.0.1:/cb", "http://127.0.0.1:123456/cb",
			"http://127.0.0.1:-1/cb", "http://127.0.0.1:80/cb/../x", "http://127.0.0.1:80/cb?x", "http://127.0.0.1:80/cb#x", `http://127.0.0.1:80\@evil.example/cb`, "http://127.0.0.1:80:81/cb", "https://127.0.0.1/cb", "http://[::1]:80@evil.example/cb", "http://[::ffff:127.0.0.1]/cb", "http://[::1%25lo]/cb", "com.example.shop:/cb/../x", "com.example.shop://evil/cb", "COM.example.shop:/cb"}
		for c, uris := range map[*rig.Client][]string{&shop: tricks, &native: append(nativeTricks, tricks[0])} {
			for _, uri := range uris {
				if c == &native && (uri == "com.example.shop:/cb" || uri == "http://127.0.0.1/cb") {
					continue
				}
				for _, more := range [][]string{{}, {"prompt", "none"}, {"response_type", "token"}, {"response_mode", "form_post"}, {"scope", "\x00"}} {
					r := s.Request(*c, append([]string{"redirect_uri", uri}, more...)...)
					if a := ada.send(r.Path(), nil); a.to != "" || a.status/100 != 4 || a.header.Get("Refresh") != "" {
						t.Errorf("%q %v leads to %q (%d)", uri, more, a.to, a.status)
					}
				}
			}
		}
		// The good ones do.
		for _, good := range []struct {
			c   rig.Client
			uri string
		}{{shop, home}, {native, "http://127.0.0.1:49152/cb"}, {native, "http://[::1]:1/cb"}, {native, "com.example.shop:/cb"}} {
			if a := ada.send(s.Request(good.c, "redirect_uri", good.uri).Path(), nil); !strings.HasPrefix(a.to, good.uri+"?code=") {
				t.Errorf("%s: %s", good.uri, a)
			}
		}
		// A state cannot break out of the query that it comes back in.
		for _, state := range []string{"x\r\nLocation: https://evil.example", "&code=evil#", "%26code=evil", "\x00\xff", "\"><script>"} {
			a := ada.send(s.Request(shop, "state", state).Path(), nil)
			u, err := url.Parse(a.to)
			if err != nil || u.Host != "shop.example" || u.Fragment != "" || u.Query().Get("state") != state || len(u.Query()["code"]) != 1 || strings.ContainsAny(a.to, "\r\n") {
				t.Errorf("state %q comes back as %q (%v)", state, a.to, err)
			}
		}

		// After a sign-out, by everything that can ask for one.
		r := s.Request(shop)
		tok := s.Redeem(r, ada.send(r.Path(), nil).authorizationCode(t))
		for _, uri := range append(tricks, home) {
			for name, form := range map[string]url.Values{
				"by a hint":   {"id_token_hint": {tok.IDToken}, "post_logout_redirect_uri": {uri}, "state": {"x"}},
				"by a client": {"client_id": {shop.ID}, "post_logout_redirect_uri": {uri}},
				"by nobody":   {"post_logout_redirect_uri": {uri}},
			} {
				if uri == rig.Goodbye {
					continue
				}
				twin := ada.twin()
				if a := twin.raw(http.MethodGet, "/oidc/session/end?"+form.Encode(), "", "Sec-Fetch-Dest", "document"); a.to != "" && !strings.HasPrefix(a.to, "/") && !strings.HasPrefix(a.to, at.endpoint+"/") || strings.HasPrefix(a.to, "//") {
					t.Errorf("a sign-out %s leads to %q", name, a.to)
				} else {
					for _, link := range a.links(t) {
						if strings.Contains(link, "evil.example") {
							t.Errorf("the page after a sign-out %s links %q", name, link)
						}
					}
				}
			}
		}
		// Paths that look like hosts, and parameters that other products redirect by.
		for _, path := range []string{"//evil.example", "//evil.example/%2e%2e", "/%2f%2fevil.example", `/\evil.example`, "/%5cevil.example", "/oidc//evil.example", "/account/..//evil.example", "/console//evil.example", "/console/%2f%2fevil.example/", "/static//evil.example", "/sign-in//evil.example/..", "/.evil.example", "/account//", "/console/",
			"/sign-in?next=//evil.example", "/account?return_to=https://evil.example", "/console?redirect=https://evil.example", "/cancel?r=https://evil.example", "/signed-out?post_logout_redirect_uri=https://evil.example", "/sign-out?o=https://evil.example", "/?url=https://evil.example", "/console/sign-in?next=//evil.example"} {
			a := ada.send(path, nil)
			if u, err := url.Parse(a.to); a.to != "" && (err != nil || u.Host != "" && u.Host != strings.TrimPrefix(at.endpoint, "http://") || strings.HasPrefix(a.to, "//") || strings.HasPrefix(a.to, `/\`)) {
				t.Errorf("%s leads to %q", path, a.to)
			}
			for _, link := range a.links(t) {
				if strings.HasPrefix(link, "//") || strings.HasPrefix(link, `/\`) {
					t.Errorf("%s links %q", path, link)
				}
			}
		}
	})
}
