package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"idp/web/api"
)

var link = regexp.MustCompile(`<([^<>"\s]*)>; rel="(first|prev|next|last)"`)

// Whatever is asked of a list, the answer is JSON and no failure, and its links lead to
// the same list.
func FuzzLists(f *testing.F) {
	w := setup(f)
	for _, to := range []string{"ada@example.com", "bob@example.com", "eve@example.com"} {
		w.expect(w.call(http.MethodPost, "/api/users", map[string]any{"primaryEmail": to}), http.StatusOK)
		w.expect(w.call(http.MethodPost, "/api/suppressions", map[string]any{"address": to}), http.StatusCreated)
	}
	lists := []string{"/users", "/applications", "/roles", "/resources", "/logs", "/hooks", "/connectors", "/deliveries", "/suppressions", "/email-templates", "/one-time-tokens"}
	for i := range lists {
		for _, seed := range []string{"page=1&page_size=1", "page=0", "page=-1&page_size=101", "page=10000&page_size=100", "page=9999999999999999999", "before=AAAA&page_size=2",
			"after=zik0zj.u", "after=-1.x", "search=%25a%25&mode=exact", "search.id=_&search=%00", "search=%ff", "page=1&page=2", "start_time=0&end_time=1", "a=b;c", "%zz", "state=x", "joint=and&search=%25%5C"} {
			f.Add(uint8(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, at uint8, raw string) {
		if strings.ContainsFunc(raw, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '#' }) {
			raw = url.QueryEscape(raw) // no request line holds it
		}
		path := api.Path + lists[int(at)%len(lists)]
		r, err := http.NewRequest(http.MethodGet, path+"?"+raw, nil)
		if err != nil {
			t.Skip()
		}
		r.Header.Set("Authorization", "Bearer all")
		out := httptest.NewRecorder()
		w.router.ServeHTTP(out, r.WithContext(t.Context()))
		if out.Code >= 500 || out.Code == http.StatusUnauthorized || !json.Valid(out.Body.Bytes()) {
			t.Fatalf("%s?%s: %d %s", path, raw, out.Code, out.Body)
		}
		header := out.Header().Get("Link")
		found := link.FindAllStringSubmatch(header, -1)
		if header != "" && (len(found) != strings.Count(header, "rel=") || link.ReplaceAllString(header, "") != strings.Repeat(", ", len(found)-1)) {
			t.Fatalf("%s?%s: links %s", path, raw, header)
		}
		for _, l := range found {
			if to, err := url.Parse(l[1]); err != nil || to.Path != path || to.Host != "" {
				t.Fatalf("%s?%s leads to %s (%v)", path, raw, l[1], err)
			}
		}
	})
}

// A place in a list is written in one way.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"zik0zj.u", "0.x", "00.x", "+1.x", "-0.x", "ZIK.u", "1.", ".", "1y2p0ij32e8e7.x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if again, ok := api.Recursor(text); ok && again != text {
			t.Fatalf("%q is a place, and so is %q", text, again)
		}
	})
}
