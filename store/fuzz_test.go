package store_test

import (
	"net/url"
	"strings"
	"testing"

	"idp/store"
)

// Ids are written in one way.
func FuzzID(f *testing.F) {
	f.Add(strings.Repeat("A", 22))
	f.Add(strings.Repeat("A", 21) + "B")
	f.Add("AAAAAAAAAAAAAAAAAAAAA\n")
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := store.ParseID(text); err == nil && id.String() != text {
			t.Fatalf("%q is %s", text, id)
		}
	})
}

// What is registered is what is redirected to: a URI passes only if all who read it see the
// same host, and an app that has registered another one is never sent there.
func FuzzRedirectURI(f *testing.F) {
	for _, seed := range []string{"https://shop.example/callback", "https://shop.example@evil.example/callback", `https://shop.example\@evil.example/`, "https://shop.example:443/callback",
		"HTTPS://SHOP.EXAMPLE/callback", "http://127.0.0.1:80@evil.example/cb", "http://127.0.0.1:65536/cb", "http://127.0.0.1:/cb", "http://[::1]:1/cb", "http://localhost.evil.example/cb",
		"app.example:/cb", "javascript:alert(1)", "//evil.example", "https:evil.example", "https:///evil.example", "https://shop.example/callback#x", "https://shop.example/callback\r\n", "http://2130706433/"} {
		f.Add(seed)
	}
	web := store.Client{Type: store.Traditional, RedirectURIs: []string{"https://shop.example/callback"}}
	native := store.Client{Type: store.Native, RedirectURIs: []string{"http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost/cb?a=b", "app.example:/cb"}}
	f.Fuzz(func(t *testing.T, uri string) {
		if web.Registered(uri) != (uri == web.RedirectURIs[0]) {
			t.Fatalf("%q is taken for %q", uri, web.RedirectURIs[0])
		}
		if native.Registered(uri) {
			u, err := url.Parse(uri)
			if err != nil || u.Fragment != "" || u.User != nil || u.Scheme != "app.example" && (u.Scheme != "http" || !store.IsLoopback(u.Hostname()) || u.Path != "/cb") {
				t.Fatalf("%q is taken: %+v (%v)", uri, u, err)
			}
		}
		for _, kind := range []store.ClientType{store.Traditional, store.Native} {
			if kind.CheckRedirectURI(uri) != nil {
				continue
			}
			u, err := url.Parse(uri)
			if err != nil || u.User != nil || u.Fragment != "" || strings.ContainsAny(uri, "\\\r\n\t #*") {
				t.Fatalf("%q can be registered: %+v (%v)", uri, u, err)
			}
			if kind == store.Traditional && u.Scheme != "https" && !store.IsLoopback(u.Hostname()) {
				t.Fatalf("%q can be registered", uri)
			}
			if web := u.Scheme == "https" || u.Scheme == "http"; web && !strings.HasPrefix(strings.ToLower(uri), u.Scheme+"://"+strings.ToLower(u.Host)) {
				t.Fatalf("%q can be registered, and its host is %q", uri, u.Host)
			}
		}
	})
}
