package signin_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// The cost of the pages that every sign-in shows, with routing, middleware and
// the sealing and opening of r and c.
func BenchmarkPages(b *testing.B) {
	f := setup(b)
	p := f.person()
	code := p.toCode("/sign-in", "ada@example.com").form("/verify")
	for _, page := range []struct{ name, path string }{
		{"authorize", authorize()}, {"address", "/sign-in?r=" + code.Get("r")}, {"code", "/verify?" + code.Encode()}, {"own", "/sign-in"},
	} {
		b.Run(page.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, page.path, nil)
			r.Header.Set("Accept-Language", "ja,en;q=0.8")
			for _, c := range p.http.Jar.Cookies(mustParse(f.server.URL)) {
				r.AddCookie(c)
			}
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				f.handler.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
