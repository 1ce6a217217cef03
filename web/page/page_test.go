package page_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"idp/web/locales"
	"idp/web/page"
	"idp/web/static"
)

func TestFormAction(t *testing.T) {
	t.Parallel()
	const web = "'self' https: http://localhost:* http://127.0.0.1:*"
	for redirect, want := range map[string]string{
		"https://shop.example.com/cb":   web,
		"http://localhost:3000/cb":      web,
		"http://127.0.0.1:9/cb":         web,
		"http://[::1]:9/cb":             "",
		"http://127.0.0.2:9/cb":         "",
		"http://shop.localhost:3000/cb": web + " http://shop.localhost:*",
		"com.example.app:/cb":           "'self' https: com.example.app:",
	} {
		w := httptest.NewRecorder()
		page.Protect(w, page.Policy{FormAction: page.FormAction(redirect)}, true)
		_, got, found := strings.Cut(w.Header().Get("Content-Security-Policy"), "form-action ")
		if got != want || found != (want != "") {
			t.Errorf("%s: got %q, want %q", redirect, got, want)
		}
	}
	w := httptest.NewRecorder()
	page.Protect(w, page.Policy{}, false)
	if h := w.Header(); !strings.HasSuffix(h.Get("Content-Security-Policy"), "; form-action 'self'") || h.Get("Strict-Transport-Security") != "" {
		t.Error(h)
	}
}

func TestFieldsOfTextsAreEscaped(t *testing.T) {
	t.Parallel()
	folder := fstest.MapFS{"a.html": {Data: []byte(
		`{{define "title"}}{{t "address.sign_in"}}{{end}}{{define "body"}}<a title="{{t "address.sign_in"}}">{{t "address.sign_in"}}</a>{{end}}`)}}
	all := locales.Load()
	set := page.Load(folder, nil, all, static.Load())
	w := httptest.NewRecorder()
	if err := set.Render(w, 200, all.All()[0], "a", page.Frame{App: `"><script>alert(1)</script>`}); err != nil {
		t.Fatal(err)
	}
	if body := w.Body.String(); strings.Contains(body, "<script>") || strings.Count(body, "&lt;script&gt;") != 3 {
		t.Error(body)
	}
}

func TestNamesKeepTheirDirection(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":                            "",
		"Bookstore":                   "Bookstore",
		"متجر":                        "\u2068متجر\u2069",
		"ספרים 24":                    "\u2068ספרים 24\u2069",
		"Book\u202estore\u2069\u2067": "Bookstore",
	} {
		if got := page.Name(name); got != want {
			t.Errorf("%q: got %q", name, got)
		}
	}
}

// A spliced page is the page that the template makes, first and later, whatever
// the values are.
func TestSpliceIsRender(t *testing.T) {
	t.Parallel()
	folder := fstest.MapFS{"a.html": {Data: []byte(
		`{{define "title"}}{{.Name}}{{end}}{{define "body"}}<a href="/x?r={{.R}}&amp;s=1" title="{{.Name}}">{{.Name}} {{.R}}</a>{{end}}`)}}
	type data struct {
		page.Frame
		R, Name string
	}
	all := locales.Load()
	set := page.Load(folder, nil, all, static.Load())
	l := all.All()[0]
	for _, v := range [][2]string{{"abc-_9", "Ada"}, {"Z", `"><script>alert('1')</script>`}, {"", ""}, {"mm", "日本 & co"}} {
		d := data{R: v[0], Name: v[1]}
		spliced, rendered := httptest.NewRecorder(), httptest.NewRecorder()
		err := set.Splice(spliced, 200, l, "a", "only", func(marks []string) any { return data{R: marks[0], Name: marks[1]} }, d.R, d.Name)
		if err != nil {
			t.Fatal(err)
		}
		if err := set.Render(rendered, 200, l, "a", d); err != nil {
			t.Fatal(err)
		}
		if spliced.Body.String() != rendered.Body.String() {
			t.Errorf("spliced:\n%s\nrendered:\n%s", spliced.Body, rendered.Body)
		}
	}
}
