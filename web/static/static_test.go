package static_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"idp/web/static"
)

func get(f *static.Files, url string, gz bool) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, url, nil)
	if gz {
		r.Header.Set("Accept-Encoding", "gzip, br")
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

func TestFilesAreImmutableUnderTheirHash(t *testing.T) {
	t.Parallel()
	f := static.Load()
	url := f.URL("page.css")
	plain, packed := get(f, url, false), get(f, url, true)
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(z)
	if plain.Body.String() != string(body) || packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("Vary") != "Accept-Encoding" {
		t.Error("the compressed file differs")
	}
	if !strings.Contains(plain.Header().Get("Cache-Control"), "immutable") {
		t.Error(plain.Header())
	}
	old := get(f, regexp.MustCompile(`[0-9a-f]{12}`).ReplaceAllString(url, "000000000000"), false)
	if old.Code != 200 || old.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("another release's file: %d %v", old.Code, old.Header())
	}
	for _, bad := range []string{"/static/", "/static/nothing.css", "/static/files/page.css", "/static/../static.go"} {
		if w := get(f, bad, false); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
}
