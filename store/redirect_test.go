package store_test

import (
	"errors"
	"strings"
	"testing"

	"idp/store"
)

func TestCheckRedirectURI(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind store.ClientType
		uri  string
		ok   bool
	}{
		{store.Traditional, "https://app.example.com/callback?tenant=1", true},
		{store.Traditional, "http://localhost:3000/callback", true},
		{store.SPA, "http://127.0.0.1:3000/callback", true},
		{store.Native, "http://[::1]/callback", true},
		{store.Native, "com.example.app://callback", true},
		{store.Native, "com.example.app:/callback", true},
		{store.SPA, "com.example.app://callback", false},
		{store.Traditional, "http://app.example.com/callback", false},
		{store.Traditional, "http://localhost.example.com/callback", false},
		{store.Traditional, "https://*.example.com/callback", false},
		{store.Traditional, "https://app.example.com/callback#", false},
		{store.Traditional, "https://me:pw@app.example.com/", false},
		{store.Traditional, "https://app.example.com\\@evil.example/", false},
		{store.Traditional, "https://app.example.com/\r\nSet-Cookie:x", false},
		{store.Traditional, "https://täglich.example/", false},
		{store.Traditional, "//app.example.com/callback", false},
		{store.Traditional, "/callback", false},
		{store.Traditional, "https:///callback", false},
		{store.Traditional, "https:app.example.com", false},
		{store.Traditional, "https://%61pp.example.com/callback", false},
		{store.Traditional, "", false},
		{store.Native, "javascript:alert(1)", false},
		{store.Native, "intent://x", false},
		{store.Native, "x:/y", false},
		{store.Native, "http://127.0.0.1:99999/", false},
		{store.Traditional, "https://app.example.com:99999/", false},
		{store.Native, "DATA:text/html,x", false},
		{store.Traditional, "https://app.example.com/" + strings.Repeat("a", 2000), false},
	} {
		if err := c.kind.CheckRedirectURI(c.uri); (err == nil) != c.ok {
			t.Errorf("%s %q: %v", c.kind, c.uri, err)
		} else if why := (*store.URIError)(nil); !c.ok && (!errors.As(err, &why) || why.URI != c.uri || why.Reason == "") {
			t.Errorf("%s %q: the error is %#v", c.kind, c.uri, err)
		}
	}
}
