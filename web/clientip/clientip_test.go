package clientip_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"idp/web/clientip"
)

func TestOf(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name    string
		trusted []netip.Prefix
		peer    string
		forward []string
		want    string
	}{
		{"no proxy", nil, "203.0.113.9:4000", nil, "203.0.113.9"},
		{"header of a stranger", nil, "203.0.113.9:4000", []string{"1.1.1.1"}, "203.0.113.9"},
		{"stranger beside a proxy", proxies, "203.0.113.9:4000", []string{"1.1.1.1"}, "203.0.113.9"},
		{"one proxy", proxies, "10.0.0.1:4000", []string{"203.0.113.9"}, "203.0.113.9"},
		{"made up on the left", proxies, "10.0.0.1:4000", []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9"},
		{"two proxies", proxies, "10.0.0.1:4000", []string{"1.1.1.1, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"two lines", proxies, "10.0.0.1:4000", []string{"203.0.113.9", "10.0.0.2"}, "203.0.113.9"},
		{"proxy without header", proxies, "10.0.0.1:4000", nil, "10.0.0.1"},
		{"rubbish", proxies, "10.0.0.1:4000", []string{"203.0.113.9, unknown"}, "10.0.0.1"},
		{"only proxies", proxies, "10.0.0.1:4000", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"with port", proxies, "10.0.0.1:4000", []string{"203.0.113.9:55"}, "203.0.113.9"},
		{"mapped peer", proxies, "[::ffff:10.0.0.1]:4000", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"IPv6", proxies, "[fd00::1%eth0]:4000", []string{"[2001:db8::7]:99"}, "2001:db8::7"},
		{"mapped prefix", []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104")}, "10.0.0.1:4000", []string{"203.0.113.9"}, "203.0.113.9"},
		{"unix socket", proxies, "@", []string{"203.0.113.9"}, "invalid IP"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		for _, f := range c.forward {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := clientip.New(c.trusted, slog.New(slog.DiscardHandler)).Of(r).String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestWarnsOnceOfAProxyThatIsNotTrusted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	ips := clientip.New(nil, slog.New(slog.NewTextHandler(&out, nil)))
	for range 3 {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "172.17.0.1:1"
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		ips.Of(r)
	}
	if n := strings.Count(out.String(), "IDP_TRUSTED_PROXIES"); n != 1 {
		t.Errorf("warned %d times:\n%s", n, out.String())
	}
}
