package signin_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"idp/web/webtest"
)

// The cost of the pages that every sign-in shows, with routing, middleware and
// the sealing and opening of r and c.
func BenchmarkPages(b *testing.B) {
	f := webtest.New(b)
	p := f.Person()
	code := p.ToCode("/sign-in", "ada@example.com").Form("/verify")
	for _, page := range []struct{ name, path string }{
		{"authorize", webtest.Authorize()}, {"address", "/sign-in?r=" + code.Get("r")}, {"code", "/verify?" + code.Encode()}, {"own", "/sign-in"},
	} {
		b.Run(page.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, page.path, nil)
			r.Header.Set("Accept-Language", "ja,en;q=0.8")
			for _, c := range p.HTTP.Jar.Cookies(webtest.URL(f.Server.URL)) {
				r.AddCookie(c)
			}
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				f.Handler.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
