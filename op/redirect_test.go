package op_test

import (
	"net/http"
	"strings"
	"testing"

	"idp/store"
)

func TestRedirectURIBytes(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.client(store.Client{ID: "web", Type: store.Traditional, RedirectURIs: []string{"https://shop.example/cb", "http://127.0.0.1/cb", "https://shop.example/f#x"}})
	f.client(store.Client{ID: "app", Type: store.Native, RedirectURIs: []string{
		"com.example.shop:/cb", "http://127.0.0.1/cb", "http://[::1]:8000/cb?x=1", "http://localhost:3000", "http://shop.example/cb"}})
	for _, c := range []struct {
		client, uri string
		good        bool
	}{
		{"web", "https://shop.example/cb", true},
		{"web", "https://shop.example/cb/", false},
		{"web", "https://shop.example/CB", false},
		{"web", "https://SHOP.example/cb", false},
		{"web", "HTTPS://shop.example/cb", false},
		{"web", "https://shop.example:443/cb", false},
		{"web", "https://shop.example/cb?", false},
		{"web", "https://shop.example/cb?x=1", false},
		{"web", "https://shop.example/cb#", false},
		{"web", "https://shop.example/f#x", false},
		{"web", "https://shop.example/%63b", false},
		{"web", "https://shop.example/./cb", false},
		{"web", "https://shop.example/a/../cb", false},
		{"web", "https://shop.example//cb", false},
		{"web", "https://user@shop.example/cb", false},
		{"web", "https://shop.example@evil.example/cb", false},
		{"web", "https://shop.example.evil.example/cb", false},
		{"web", "https://shop.example\\@evil.example/cb", false},
		{"web", "https://shop.example/cb\x00", false},
		{"web", "https://shop.example/cb ", false},
		{"web", " https://shop.example/cb", false},
		{"web", "https://shop.example/cb\r\nX: y", false},
		{"web", "//shop.example/cb", false},
		{"web", "http://127.0.0.1/cb", true},
		{"web", "http://127.0.0.1:8080/cb", false}, // any port is for native clients
		{"app", "com.example.shop:/cb", true},
		{"app", "com.example.shop://cb", false},
		{"app", "http://127.0.0.1/cb", true},
		{"app", "http://127.0.0.1:1/cb", true},
		{"app", "http://127.0.0.1:65535/cb", true},
		{"app", "http://127.0.0.1:123456/cb", false},
		{"app", "http://127.0.0.1:/cb", false},
		{"app", "http://127.0.0.1:80:80/cb", false},
		{"app", "http://127.0.0.1:80@evil.example/cb", false},
		{"app", "http://127.0.0.1@evil.example/cb", false},
		{"app", "http://127.0.0.1.evil.example/cb", false},
		{"app", "http://127.0.0.1\\.evil.example/cb", false},
		{"app", "http://127.0.0.1:80/cb/", false},
		{"app", "http://127.0.0.1:80/cb?x=1", false},
		{"app", "http://127.0.0.1:80/cb#x", false},
		{"app", "http://127.0.0.2:80/cb", false},
		{"app", "http://127.1:80/cb", false},
		{"app", "https://127.0.0.1:80/cb", false},
		{"app", "HTTP://127.0.0.1:80/cb", false},
		{"app", "http://[::1]:9/cb?x=1", true},
		{"app", "http://[::1]/cb?x=1", true},
		{"app", "http://[::1]:9/cb", false},
		{"app", "http://[0::1]:9/cb?x=1", false},
		{"app", "http://localhost:4000", true},
		{"app", "http://localhost", true},
		{"app", "http://localhost:4000/", false},
		{"app", "http://localhost:4000/cb", false},
		{"app", "http://localhost.evil.example", false},
		{"app", "http://shop.example:81/cb", false},
	} {
		f.begun = nil
		r := f.authorize("client_id", c.client, "redirect_uri", c.uri)
		if (len(f.begun) == 1) != c.good || r.Header.Get("Location") != "" {
			t.Errorf("%s %q: good %v, status %d, to %q", c.client, c.uri, !c.good, r.StatusCode, r.Header.Get("Location"))
		}
	}
}

// The answer appends to the URI as it is registered.
func TestRedirectKeepsTheURI(t *testing.T) {
	t.Parallel()
	f := setup(t)
	uris := map[string]string{
		"https://shop.example/cb":            "https://shop.example/cb?error=",
		"https://shop.example/cb?a=b+c&d=%2": "https://shop.example/cb?a=b+c&d=%2&error=",
		"https://shop.example/cb?":           "https://shop.example/cb?error=",
		"https://shop.example/ü":             "https://shop.example/ü?error=",
		"com.example.shop:/cb":               "com.example.shop:/cb?error=",
		"http://[::1]/cb":                    "http://[::1]/cb?error=",
	}
	c := store.Client{ID: "app", Type: store.Native}
	for uri := range uris {
		c.RedirectURIs = append(c.RedirectURIs, uri)
	}
	f.client(c)
	for uri, want := range uris {
		r := f.authorize("client_id", "app", "redirect_uri", uri, "response_type", "token")
		if r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(r.Header.Get("Location"), want) {
			t.Errorf("%s: %d %s", uri, r.StatusCode, r.Header.Get("Location"))
		}
	}
}
