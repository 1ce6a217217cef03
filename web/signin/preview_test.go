package signin_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"idp/store"
	"idp/web/page"
	"idp/web/webtest"
)

var screens = []page.Screen{page.ScreenSignIn, page.ScreenRegister, page.ScreenRecover, page.ScreenCode, page.ScreenWrong, page.ScreenRefused, page.ScreenClosed, page.ScreenAccount}

func preview(f *webtest.Fixture, shown page.Preview) *httptest.ResponseRecorder {
	f.Helper()
	shown.Now = f.DB.Now()
	w := httptest.NewRecorder()
	if shown.Screen == page.ScreenAccount {
		f.Must(f.Account.PreviewAccount(w, shown))
	} else {
		f.Must(f.SignIn.Preview(w, httptest.NewRequest("POST", "/console/sign-in-experience/preview", nil), shown))
	}
	return w
}

// Every screen is shown in every language and scheme, with what nobody has saved, and does
// nothing: no cookie, no form that can be sent, no script.
func TestPreview(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	e := store.DefaultExperience()
	e.Color = store.Color{Primary: "#ffb300", Dark: true, DarkPrimary: "#1e5b3a"}
	e.TermsOfUseURL, e.Terms = "https://shop.example/terms", store.TermsManual
	e.SupportEmail = "help@shop.example"
	e.CustomCSS = "h1{color:rebeccapurple}\r\n@media (prefers-color-scheme: dark){h1{color:gold}}\n</style><script>alert(1)</script>"
	shop := store.Client{ID: "shop", Name: "Bookstore <b>", Experience: store.ClientExperience{PrimaryColor: "#00aa55"}}
	for _, lang := range webtest.Languages() {
		for _, screen := range screens {
			for _, dark := range []bool{false, true} {
				w := preview(f, page.Preview{Experience: e, Client: shop, Screen: screen, Language: lang, Dark: dark})
				body, csp := w.Body.String(), w.Header().Get("Content-Security-Policy")
				style := between(body, "<style>", "</style>")
				sum := sha256.Sum256([]byte(style))
				for what, ok := range map[string]bool{
					"the language":     strings.Contains(body, `<html lang="`+lang+`"`),
					"one heading":      strings.Count(body, "<h1>") == 1,
					"inert":            strings.Contains(body, "<body inert>"),
					"one style":        strings.Count(body, "<style") == 1 && strings.Count(body, "</style") == 1,
					"its hash":         strings.Contains(csp, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'"),
					"the colour":       strings.Contains(style, "--fill:#00aa55"),
					"no break-out":     !strings.Contains(body, "</style><script>"),
					"one scheme":       !strings.Contains(body, "prefers-color-scheme"),
					"a dark page":      dark == strings.Contains(body, `content="dark"`) && dark == !strings.Contains(body, `class="light"`),
					"no cookie":        len(w.Result().Cookies()) == 0, //nolint:bodyclose // a recorder's
					"frames of ours":   strings.Contains(csp, "frame-ancestors 'self'") && w.Header().Get("X-Frame-Options") == "SAMEORIGIN",
					"a sandbox":        strings.Contains(csp, "; sandbox") && strings.Contains(csp, "form-action 'none'") && !strings.Contains(csp, "script-src"),
					"nothing is empty": !strings.Contains(body, "ZgotmplZ") && !strings.Contains(body, "<title></title>"),
				} {
					if !ok {
						t.Errorf("%s in %s, dark %t, lacks: %s\n%s\n%s", screen, lang, dark, what, csp, regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(body, ""))
					}
				}
			}
		}
	}
}

// What cannot happen with an experience is not previewed: the page is the one that people
// would see instead.
func TestPreviewKeepsTheMode(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	e := store.DefaultExperience()
	e.Mode = store.ModeSignIn
	body := preview(f, page.Preview{Experience: e, Screen: page.ScreenRegister, Language: "en"}).Body.String()
	if !strings.Contains(body, "<h1>Sign in") || strings.Contains(body, "/register") {
		t.Error(body)
	}
	e.Color.Dark = false
	body = preview(f, page.Preview{Experience: e, Screen: page.ScreenSignIn, Language: "xx", Dark: true}).Body.String()
	if !strings.Contains(body, `class="light"`) || !strings.Contains(body, `lang="en"`) {
		t.Error(body)
	}
}

func between(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return text
}
