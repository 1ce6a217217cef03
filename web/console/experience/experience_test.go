package experience_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

const home = "/console/sign-in-experience"

func saved(f *webtest.Fixture) store.Experience {
	f.Helper()
	e, err := f.DB.FreshExperience(f.Context())
	f.Must(err)
	return e
}

// fill is the form of a section with fields that are no inputs, too.
func fill(p *webtest.Person, path string, fields ...string) url.Values {
	p.Helper()
	form := p.Get(path).Want(200).Form(path)
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form
}

func TestEverySectionSaves(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	for _, s := range []struct {
		path   string
		fields []string
		told   string
		is     func(e store.Experience) bool
	}{
		{"", []string{"color.primaryColor", "#F80", "color.darkPrimaryColor", "#00aa00"}, "Saved: Colour, Colour on dark pages.", func(e store.Experience) bool {
			return e.Color == store.Color{Primary: "#ff8800", Dark: true, DarkPrimary: "#00aa00"}
		}},
		{"/sign-up-and-sign-in", []string{"signInMode", "SignIn", "verificationCodePolicy.expirationDuration", "5", "verificationCodePolicy.maxRetryAttempts", "3"}, "Wrong codes", func(e store.Experience) bool {
			return e.Mode == store.ModeSignIn && e.Codes == store.CodePolicy{Seconds: 300, Tries: 3}
		}},
		{"/content", []string{"languageInfo.autoDetect", "", "languageInfo.fallbackLanguage", "ja", "supportEmail", "Help@Shop.example", "supportWebsiteUrl", "https://shop.example/help", "unknownSessionRedirectUrl", "https://shop.example/"}, "Saved: Use the language of the browser", func(e store.Experience) bool {
			return e.Language == store.LanguageInfo{Fallback: "ja"} && e.SupportEmail == "help@shop.example" && e.SupportURL == "https://shop.example/help" && e.UnknownSession == "https://shop.example/"
		}},
		{"/terms", []string{"termsOfUseUrl", "https://shop.example/t", "privacyPolicyUrl", "https://shop.example/p", "agreeToTermsPolicy", "Manual"}, "Saved: Terms of use, Privacy policy, How people agree.", func(e store.Experience) bool {
			return e.TermsOfUseURL == "https://shop.example/t" && e.PrivacyPolicyURL == "https://shop.example/p" && e.Terms == store.TermsManual
		}},
		{"/custom-css", []string{"customCss", ".card { border-radius: 0; }\r\nh1 { color: red; }"}, "Saved: Style sheet.", func(e store.Experience) bool {
			return e.CustomCSS == ".card { border-radius: 0; }\nh1 { color: red; }"
		}},
		{"/addresses", []string{"emailBlocklistPolicy.blockDisposableAddresses", "1", "emailBlocklistPolicy.customBlocklist", "\n@Spam.example\n\nada@shop.example\n", "emailBlocklistPolicy.customAllowlist", "@*.example"}, "Refused addresses, Allowed addresses", func(e store.Experience) bool {
			return e.Addresses.BlockDisposable && !e.Addresses.BlockSubaddressing && len(e.Addresses.Block) == 2 && e.Addresses.Block[0] == "@spam.example" && len(e.Addresses.Allow) == 1
		}},
	} {
		form := fill(p, home+s.path, s.fields...)
		p.Post(home+s.path, form).WantTo(home+s.path).Follow().Want(200, s.told)
		if e := saved(f); !s.is(e) {
			t.Errorf("%s: %+v", s.path, e)
		}
	}
	p.Post(home+"/addresses", fill(p, home+"/addresses", "emailBlocklistPolicy.blockDisposableAddresses", "1",
		"emailBlocklistPolicy.customBlocklist", "@spam.example\nada@shop.example", "emailBlocklistPolicy.customAllowlist", "@*.example")).Follow().Want(200, "Nothing to save")
}

// What is wrong is said beside its field, everything that was typed stays, and nothing is saved.
func TestErrorsStandBesideTheirField(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	before := saved(f)
	for _, s := range []struct{ path, field, typed, reason string }{
		{"", "color.primaryColor", "orange", "Is no colour like #3b4bc8."},
		{"", "color.darkPrimaryColor", "#12", "Is no colour like #3b4bc8."},
		{"", "branding.logoUrl", "http://shop.example/l.png", "Is no https URL."},
		{"", "branding.darkLogoUrl", "logo.png", "Is no whole URL (https://example.com/…)."},
		{"", "branding.favicon", "https://ada@shop.example/", "Is no whole URL (https://example.com/…)."},
		{"", "branding.darkFavicon", "javascript:alert(1)", "Is no whole URL"},
		{"/sign-up-and-sign-in", "verificationCodePolicy.expirationDuration", "11", "Is no number of whole minutes"},
		{"/sign-up-and-sign-in", "verificationCodePolicy.expirationDuration", "soon", "Is no whole number from 1 up."},
		{"/sign-up-and-sign-in", "verificationCodePolicy.maxRetryAttempts", "99", "Is not 1 to the 5"},
		{"/sign-up-and-sign-in", "signInMode", "Nobody", "Is none of SignIn"},
		{"/content", "supportEmail", "help", "Is no email address."},
		{"/content", "supportWebsiteUrl", "help", "Is no whole URL"},
		{"/content", "unknownSessionRedirectUrl", "ftp://shop.example", "Is no https URL."},
		{"/content", "languageInfo.fallbackLanguage", "tlh", "Is none that pages are written in"},
		{"/terms", "termsOfUseUrl", "terms", "Is no whole URL"},
		{"/terms", "privacyPolicyUrl", "https://shop.example/<b>", "Is no URL of at most 2048 characters."},
		{"/terms", "agreeToTermsPolicy", "Never", "Is none of Automatic"},
		{"/custom-css", "customCss", strings.Repeat("a{}\n", 17<<10), "Is no text of at most 65536 bytes."},
		{"/addresses", "emailBlocklistPolicy.customBlocklist", "@shop.example\n\nnot an address", "Line 2:"},
		{"/addresses", "emailBlocklistPolicy.customAllowlist", "<script>", "Line 1:"},
	} {
		shown := p.Post(home+s.path, fill(p, home+s.path, s.field, s.typed)).Want(422, s.reason)
		id := "f-" + strings.ReplaceAll(s.field, ".", "-") + "-error"
		if !strings.Contains(shown.Body, `id="`+id+`"`) {
			t.Errorf("%s %s: the reason is not beside the field\n%s", s.path, s.field, shown.Text())
		}
		if !strings.Contains(s.typed, "<") && len(s.typed) < 1000 && !strings.Contains(s.field, "Mode") && !strings.Contains(s.field, "Policy") && !strings.Contains(s.field, "Language") && !strings.Contains(shown.Body, `value="`+s.typed+`"`) {
			t.Errorf("%s %s: what was typed is gone", s.path, s.field)
		}
		if strings.Contains(shown.Body, "<script>") {
			t.Error("what was typed is not escaped")
		}
	}
	if after := saved(f); !after.UpdatedAt.Equal(before.UpdatedAt) {
		t.Error("something was saved")
	}
}

// The second of two who change the same is shown the difference, and who changes something
// else is not bothered.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	ada, bob := f.Operator(store.RoleOwner), f.Operator(store.RoleAdmin)
	bobs, other := fill(bob, home, "color.primaryColor", "#00ff00"), fill(bob, home+"/terms", "termsOfUseUrl", "https://bob.example/")
	ada.Post(home, fill(ada, home, "color.primaryColor", "#ff0000")).Want(303)
	bob.Post(home+"/terms", other).Want(303)
	shown := bob.Post(home, bobs).Want(409, "Somebody else has changed this", "#ff0000", "#00ff00")
	if e := saved(f); e.Color.Primary != "#ff0000" || e.TermsOfUseURL != "https://bob.example/" {
		t.Errorf("%+v", e)
	}
	bob.Post(home, shown.Form(home)).Want(303)
	if e := saved(f); e.Color.Primary != "#00ff00" {
		t.Errorf("%+v", e)
	}
}

func TestViewersChangeNothing(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleViewer)
	for _, s := range []string{"", "/sign-up-and-sign-in", "/content", "/terms", "/custom-css", "/addresses"} {
		shown := p.Get(home+s).Want(200, "Your role can look at this")
		if strings.Contains(shown.Body, "<button>Save") {
			t.Errorf("%s has a button that saves", s)
		}
		p.Post(home+s, shown.Form(home+s, "color.primaryColor", "#ff0000", "termsOfUseUrl", "https://eve.example/")).Want(403)
	}
	if e := saved(f); e.Color.Primary != store.DefaultExperience().Color.Primary || e.TermsOfUseURL != "" {
		t.Errorf("%+v", e)
	}
	p.Post(home+"/preview", fill(p, home, "color.primaryColor", "#ff0000")).Want(200, "Sign in")
}

// The preview shows what stands in the form, keeps nothing, and says what it cannot show.
func TestPreviewOfWhatIsTyped(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	client, err := f.Admin.CreateClient(t.Context(), audit.Command(), store.Client{
		Name: "<b>متجر</b> 📚", Type: store.SPA, IDTokenAlg: "ES256", PKCE: true, RedirectURIs: []string{"https://rtl.example/cb"},
	}, nil)
	f.Must(err)
	p := f.Operator(store.RoleAdmin)
	form := fill(p, home, "color.primaryColor", "#0a7", "preview.app", client.ID, "preview.language", "ar", "preview.screen", "register")
	shown := p.Post(home+"/preview", form).Want(200)
	csp := shown.Header.Get("Content-Security-Policy")
	for what, ok := range map[string]bool{
		"the colour":   strings.Contains(shown.Body, "--fill:#00aa77"),
		"the app":      strings.Contains(shown.Body, "&lt;b&gt;متجر") && !strings.Contains(shown.Body, "<b>"),
		"the language": strings.Contains(shown.Body, `dir="rtl"`),
		"a sandbox":    strings.Contains(csp, "sandbox") && strings.Contains(csp, "frame-ancestors 'self'"),
		"no cookies":   len(shown.Header.Values("Set-Cookie")) == 0,
	} {
		if !ok {
			t.Errorf("the preview lacks %s: %s\n%v", what, shown.Text(), shown.Header)
		}
	}
	if e := saved(f); e.Color.Primary != store.DefaultExperience().Color.Primary {
		t.Error("the preview has saved something")
	}
	form.Set("color.primaryColor", "#0a")
	p.Post(home+"/preview", form).Want(422, "Colour: Is no colour like #3b4bc8.")
	form.Set("preview.live", "1")
	if s := p.Post(home+"/preview", form); s.Status != http.StatusNoContent || s.Body != "" {
		t.Error(s.Status, s.Body)
	}
	p.Get(home+"/preview?preview.screen=account&preview.scheme=dark").Want(200, "ada@example.com")
	stranger := f.Person()
	if s := stranger.Get(home + "/preview"); strings.Contains(s.Body, "<body inert>") {
		t.Error("a stranger is shown a preview")
	}
	stranger.Post(home+"/preview", form).Want(403)
	// Choices of the preview are there after a save, too.
	to := p.Post(home, fill(p, home, "color.primaryColor", "#0a7", "preview.screen", "code", "preview.width", "phone")).Want(303).Location()
	if s := p.Get(to); !strings.Contains(s.Body, `<option value="code" selected>`) || !strings.Contains(s.Body, `class="preview look phone"`) {
		t.Error(to, s.Body)
	}
}

// A logo can be uploaded, is checked like one from the web, and is ours then.
func TestUpload(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	send := func(data string) *webtest.Shown {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for name, values := range fill(p, home) {
			if !strings.HasSuffix(name, ".file") {
				f.Must(w.WriteField(name, values[0]))
			}
		}
		part, err := w.CreateFormFile("branding.logoUrl.file", "logo.svg")
		f.Must(err)
		_, _ = part.Write([]byte(data))
		f.Must(w.Close())
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.Server.URL+home, &b)
		f.Must(err)
		r.Header.Set("Content-Type", w.FormDataContentType())
		res, err := p.HTTP.Do(r)
		f.Must(err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		f.Must(err)
		return &webtest.Shown{Person: p, Status: res.StatusCode, Header: res.Header, Body: string(body)}
	}
	send("<html>").Want(422, "Is no PNG, JPEG, WebP, GIF, SVG or ICO.")
	send(strings.Repeat("x", 600<<10)).Want(422, "Is larger than 500 kB.")
	const svg = `<svg xmlns="http://www.w3.org/2000/svg"/>`
	send(svg).Want(303)
	logo := saved(f).Branding.LogoURL
	if !strings.HasPrefix(logo, f.Server.URL+"/pictures/") {
		t.Fatal(logo)
	}
	if s := f.Person().Get(strings.TrimPrefix(logo, f.Server.URL)); s.Status != 200 || s.Body != svg {
		t.Error(s.Status, s.Body)
	}
	if s := f.Person().Get("/sign-in"); !strings.Contains(s.Body, `<img src="/pictures/`) {
		t.Error(s.Body)
	}
	// From the web: what cannot be fetched is said, and stays as it was typed.
	s := p.Post(home, fill(p, home, "branding.darkLogoUrl", "https://gone.example/l.png")).Want(422, "Cannot be fetched: the host is not found.")
	if !strings.Contains(s.Body, `value="https://gone.example/l.png"`) {
		t.Error(s.Body)
	}
}
