package page_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"idp/web/locales"
	"idp/web/page"
)

type remembers struct{ tag string }

func (*remembers) Language(*http.Request) string { return "" }

func (m *remembers) SetLanguage(_ http.ResponseWriter, tag string) { m.tag = tag }

func TestSwitch(t *testing.T) {
	t.Parallel()
	all := locales.Load()
	for _, c := range []struct{ method, query, want string }{
		{http.MethodGet, "r=abc&lang=ja", "ja"},
		{http.MethodGet, "l%61ng=ja", "ja"},
		{http.MethodGet, "lang=xx", ""},
		{http.MethodGet, "r=lang", ""},
		{http.MethodGet, "r=abc", ""},
		{http.MethodPost, "lang=ja", ""},
	} {
		m, got := &remembers{}, ""
		if l := page.Switch(httptest.NewRecorder(), httptest.NewRequest(c.method, "/verify?"+c.query, nil), all, m); l != nil {
			got = l.Tag
		}
		if got != c.want || m.tag != c.want {
			t.Errorf("%s ?%s: switched to %q, kept %q, want %q", c.method, c.query, got, m.tag, c.want)
		}
	}
}
