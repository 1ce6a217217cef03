package signin_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/store"
	"idp/web/webtest"
)

// sets changes the sign-in experience, as the management API does.
func sets(f *webtest.Fixture, change func(*store.Experience)) {
	f.Helper()
	e, err := f.DB.FreshExperience(f.Context())
	f.Must(err)
	e = e.Clone()
	change(&e)
	_, err = f.DB.SetExperience(f.Context(), e, e.UpdatedAt)
	f.Must(err)
}

func TestNobodyCanRegister(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada, eve = "ada@example.com", "eve@example.com"
	f.Register(ada)
	before := f.Person()
	asked := before.ToCode("/register", eve)
	unknown := f.Person()
	question := unknown.ToCode("/sign-in", "zoe@example.com").Submit("/verify", "code", f.Code("zoe@example.com", 1)).Want(200, "Create an account?")
	sets(f, func(e *store.Experience) { e.Mode = store.ModeSignIn })

	p := f.Person()
	page := p.Get(webtest.Authorize("first_screen", "register")).Want(200, "Sign in to Bookstore")
	if strings.Contains(page.Body, "/register") {
		t.Error("the page leads to the registration")
	}
	form := page.Form("/sign-in", "email", eve)
	p.Post("/register", form).Want(422, "Sign in to Bookstore", "New accounts cannot be created here")

	// Known and unknown addresses are shown the same, and only who reads the mail knows.
	known := f.Person().ToCode("/sign-in", ada)
	other := f.Person().ToCode("/sign-in", eve)
	for _, varies := range []*regexp.Regexp{regexp.MustCompile(`[\w-]{60,}`), regexp.MustCompile(`ada|eve`), late} {
		known.Body, other.Body = varies.ReplaceAllString(known.Body, "…"), varies.ReplaceAllString(other.Body, "…")
	}
	if known.Status != other.Status || known.Body != other.Body {
		t.Errorf("known:\n%s\nunknown:\n%s", known.Body, other.Body)
	}
	known = f.Person().ToCode("/sign-in", ada)
	if s := known.Submit("/verify", "code", f.Code(ada, 3)); s.Status != 303 {
		t.Errorf("who has an account: %d %s", s.Status, s.Text())
	}
	f.Person().ToCode("/sign-in", eve)
	f.Code(eve, 2)
	mails, err := f.Inbox.List(t.Context(), eve, 0)
	f.Must(err)
	closed := 0
	for _, m := range mails {
		if m.UsageType == store.UsageClosed && m.Code == "" {
			closed++
		}
	}
	if closed != 1 {
		t.Errorf("%d mails say that there is no account, want one a day", closed)
	}

	// What was under way when it was shut makes no account either.
	asked.Submit("/verify", "code", f.Code(eve, len(mails))).Want(422, "New accounts cannot be created here")
	question.Submit("/verify").Want(403, "There is no account with this address")
	if rows := users(f); rows != 1 {
		t.Errorf("%d accounts", rows)
	}
}

// Where nobody can register, or an address is refused, every step is the same for who has an
// account and for who has none: status, headers, cookies, text, what became of the mail.
func TestClosedTellsNothing(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada, eve = "ada@example.com", "eve@example.com"
	f.Register(ada)
	varies := regexp.MustCompile(`[\w-]{60,}|ada@|eve@|` + late.String())
	for name, change := range map[string]func(*store.Experience){
		"mode": func(e *store.Experience) { e.Mode = store.ModeSignIn },
		"list": func(e *store.Experience) { e.Mode, e.Addresses.Block = store.ModeBoth, []string{"@example.com"} },
	} {
		sets(f, change)
		for _, screen := range []string{"/sign-in", "/recover"} {
			way := func(email string) (steps []string) {
				p := f.Person()
				keep := func(s *webtest.Shown) *webtest.Shown {
					h := s.Header.Clone()
					for _, own := range []string{"Date", "X-Request-Id", "Content-Length"} {
						h.Del(own)
					}
					steps = append(steps, varies.ReplaceAllString(fmt.Sprint(s.Status, h, s.Body), "…"))
					return s
				}
				first := p.Get(webtest.Authorize("first_screen", map[string]string{"/sign-in": "sign_in", "/recover": "reset_password"}[screen]))
				code := keep(keep(first.Submit(screen, "email", email)).Follow())
				keep(code.Submit("/verify/resend"))
				keep(code.Submit("/verify", "code", "000000"))
				keep(code.Submit("/verify", "code", "000000", "confirm", "1"))
				keep(first.Submit(screen, "email", email))
				f.DB.AdvanceForTest(61 * time.Second)
				keep(keep(code.Submit("/verify/resend")).Follow())
				status := func() *webtest.Shown { return p.Get("/verify/status?c=" + code.Form("/verify").Get("c")) }
				for end := time.Now().Add(15 * time.Second); !strings.Contains(status().Body, `"sent"`) && time.Now().Before(end); {
					time.Sleep(10 * time.Millisecond)
				}
				keep(status()).Want(200, `"mail":"sent"`, `"triesLeft":3`)
				return steps
			}
			known, unknown := way(ada), way(eve)
			for i := range known {
				if known[i] != unknown[i] {
					t.Errorf("%s, %s, step %d: known:\n%s\nunknown:\n%s", name, screen, i, known[i], unknown[i])
				}
			}
		}
		f.DB.AdvanceForTest(25 * time.Hour) // the limits have room again
	}
}

func users(f *webtest.Fixture) (n int) {
	f.Helper()
	f.Must(f.Outage.Read(f.Context(), `SELECT COUNT(*) FROM users`, nil, func(scan func(...any) error) error { return scan(&n) }))
	return n
}

func TestOnlyNewAccounts(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	f.Register(ada)
	under := f.Person().ToCode("/sign-in", ada)
	sets(f, func(e *store.Experience) { e.Mode = store.ModeRegister })
	page := f.Person().Get(webtest.Authorize()).Want(200, "Create your Bookstore account")
	if page.HasForm("/sign-in") || strings.Contains(page.Body, `href="/sign-in?r=`) && strings.Contains(page.Body, "Already have") {
		t.Error("the page leads to the sign-in")
	}
	under.Submit("/verify", "code", f.Code(ada, 2)).Want(422, "Only new accounts")
	page.Post("/sign-in", page.Form("/register", "email", ada)).Want(422, "Only new accounts")
	page.Post("/recover", page.Form("/register", "email", ada)).Want(422, "Only new accounts")
	code := page.Submit("/register", "email", ada).Follow().Want(200, "Enter your code")
	code.Submit("/verify", "code", f.Code(ada, 3)).Want(403, "You have an account already")
	code.Submit("/verify", "code", f.Code(ada, 3), "confirm", "1").Want(403, "You have an account already")
	fresh := page.Submit("/register", "email", "new@example.com").Follow()
	if s := fresh.Submit("/verify", "code", f.Code("new@example.com", 1)); s.Status != 303 {
		t.Errorf("%d %s", s.Status, s.Text())
	}
}

func TestAddressLists(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const old = "old@evil.example"
	f.Register(old)
	sets(f, func(e *store.Experience) {
		e.Addresses = store.AddressPolicy{BlockDisposable: true, BlockSubaddressing: true, Block: []string{"@evil.example"}}
	})
	p := f.Person()
	page := p.Get(webtest.Authorize("first_screen", "register"))
	for _, email := range []string{"a@evil.example", old, "a@mailinator.com", "ada+shop@example.com"} {
		if s := page.Submit("/register", "email", email).Want(422, "A new account cannot be created with this address"); !strings.Contains(s.Body, `value="`+strings.ReplaceAll(email, "+", "&#43;")+`"`) {
			t.Errorf("%s is not in the field", email)
		}
	}
	// It is the same for who signs in, but for the mail.
	f.Person().ToCode("/sign-in", "new@evil.example")
	if code := f.Code("new@evil.example", 1); code != "" {
		t.Errorf("a code was mailed: %s", code)
	}
	if s := f.Person().ToCode("/sign-in", old).Submit("/verify", "code", f.Code(old, 2)); s.Status != 303 {
		t.Errorf("who has an account: %d", s.Status)
	}
	sets(f, func(e *store.Experience) { e.Addresses = store.AddressPolicy{Allow: []string{"@ours.example"}} })
	page.Submit("/register", "email", "ada@example.com").Want(422, "A new account cannot")
	page.Submit("/register", "email", "ada@ours.example").Follow().Want(200, "Enter your code")
}

func TestTerms(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const terms = "https://shop.example/terms"
	sets(f, func(e *store.Experience) { e.TermsOfUseURL, e.PrivacyPolicyURL = terms, "https://shop.example/privacy" })
	p := f.Person()
	page := p.Get(webtest.Authorize()).Want(200, "By continuing you agree to: Terms of use and Privacy policy")
	if page.Link("Terms of use") != terms {
		t.Error(page.Link("Terms of use"))
	}

	sets(f, func(e *store.Experience) { e.Terms = store.TermsRegister })
	if s := p.Get(webtest.Authorize()); strings.Contains(s.Body, terms) {
		t.Error("who signs in is shown terms")
	}
	page = p.Get(webtest.Authorize("first_screen", "register")).Want(200, "I agree to: Terms of use")
	missing := page.Submit("/register", "email", "ada@example.com").Want(422, "Please agree")
	if !strings.Contains(missing.Body, `value="ada@example.com"`) {
		t.Error("the address is gone")
	}
	if strings.Count(missing.Body, "autofocus") != 1 || !strings.Contains(missing.Body, `required autofocus aria-invalid="true" aria-describedby="agree-error"`) {
		t.Errorf("what is missing does not have the focus:\n%s", missing.Body)
	}
	code := missing.Submit("/register", "email", "ada@example.com", "agree", "1").Follow().Want(200, "Enter your code")
	if s := code.Submit("/verify", "code", f.Code("ada@example.com", 1)); s.Status != 303 {
		t.Errorf("%d %s", s.Status, s.Text())
	}
	typo := missing.Submit("/register", "email", "ada@gmial.com", "agree", "1").Follow()
	typo.Submit("/register").Follow().Want(200, "ada@gmail.com")

	// Who finds out that there is no account agrees then.
	code = f.Person().ToCode("/sign-in", "eve@example.com")
	typed := f.Code("eve@example.com", 1)
	question := code.Submit("/verify", "code", typed).Want(200, "I agree to:")
	code.Submit("/verify", "code", typed, "confirm", "1").Want(422, "Please agree")
	question.Submit("/verify").Want(422, "Please agree")
	if n := users(f); n != 1 {
		t.Errorf("%d accounts", n)
	}
	if s := question.Submit("/verify", "agree", "1"); s.Status != 303 {
		t.Errorf("%d %s", s.Status, s.Text())
	}

	sets(f, func(e *store.Experience) { e.Terms = store.TermsManual })
	q := f.Person()
	page = q.Get(webtest.Authorize()).Want(200, "I agree to:")
	page.Submit("/sign-in", "email", "ada@example.com").Want(422, "Please agree")
	page.Submit("/sign-in", "email", "ada@example.com", "agree", "1").Follow().Want(200, "Enter your code")
}

// A link agrees to nothing: not for who follows it, and not for all who are shown the page
// after that, which is rendered once for all.
func TestLinkDoesNotAgree(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	sets(f, func(e *store.Experience) {
		e.TermsOfUseURL, e.Terms = "https://shop.example/terms", store.TermsRegister
	})
	p := f.Person()
	link := p.Get(webtest.Authorize()).Link("Create an account") + "&agree=1"
	for who, s := range map[string]*webtest.Shown{"who follows the link": p.Get(link), "the next": f.Person().Get(webtest.Authorize("first_screen", "register"))} {
		if s.Want(200, "I agree to:"); strings.Contains(s.Body, " checked") {
			t.Errorf("%s has agreed:\n%s", who, s.Body)
		}
	}
}

func TestLookOfPages(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	plain := f.Person().Get(webtest.Authorize())
	if strings.Contains(plain.Body, "theme.css") || strings.Contains(plain.Body, "<picture>") {
		t.Error("the default has a theme")
	}
	sets(f, func(e *store.Experience) {
		e.Branding = store.Branding{LogoURL: "https://cdn.example/logo.svg?a=1&b=2", DarkLogoURL: "https://cdn.example/dark.svg", Favicon: "https://cdn.example/f.ico"}
		e.Color = store.Color{Primary: "#00695c", Dark: true, DarkPrimary: "#4db6ac"}
		e.CustomCSS, e.SupportEmail, e.SupportURL = "h1::after{content:'</style>'}", "help@shop.example", "https://shop.example/help"
	})
	p := f.Person()
	page := p.Get(webtest.Authorize())
	for _, part := range []string{`<img src="https://cdn.example/logo.svg?a=1&amp;b=2" alt="">`, `<source srcset="https://cdn.example/dark.svg" media="(prefers-color-scheme: dark)">`,
		`<link rel="icon" href="https://cdn.example/f.ico">`} {
		if !strings.Contains(page.Body, part) {
			t.Errorf("the page lacks %s:\n%s", part, page.Body)
		}
	}
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "img-src 'self' https://cdn.example;") || !strings.Contains(csp, "style-src 'self';") {
		t.Error(csp)
	}
	sheet := regexp.MustCompile(`<link rel="stylesheet" href="(/theme\.css[^"]*)">`).FindStringSubmatch(page.Body)
	if sheet == nil {
		t.Fatal(page.Body)
	}
	theme := p.Get(strings.ReplaceAll(sheet[1], "&amp;", "&")).Want(200)
	if !strings.Contains(theme.Body, "--fill:#00695c") || !strings.HasSuffix(theme.Body, "'</style>'}") || !strings.Contains(theme.Header.Get("Cache-Control"), "immutable") {
		t.Error(theme.Body, theme.Header)
	}
	for _, path := range []string{"/theme.css", "/theme.css?app=gone", "/theme.css?v=0&app=shop"} {
		if s := p.Get(path).Want(200); s.Header.Get("Cache-Control") != "no-cache" || s.Header.Get("Content-Type") != "text/css; charset=utf-8" {
			t.Errorf("%s: %v", path, s.Header)
		}
	}
	lost := p.Get("/verify?r=nonsense").Want(400, "Need help? help@shop.example")
	if lost.Link("help@shop.example") != "mailto:help@shop.example" || lost.Link("Help pages") != "https://shop.example/help" {
		t.Error(lost.Body)
	}

	// An app has a look, a name and terms of its own.
	c, err := f.DB.FreshClient(t.Context(), "shop")
	f.Must(err)
	c.Experience = store.ClientExperience{DisplayName: "Bücherladen", LogoURL: "https://own.example/logo.png", PrimaryColor: "#b71c1c", TermsOfUseURL: "https://own.example/terms"}
	_, err = f.DB.UpdateClient(t.Context(), c, c.UpdatedAt)
	f.Must(err)
	own := p.Get(webtest.Authorize()).Want(200, "Sign in to Bücherladen", "Terms of use")
	if !strings.Contains(own.Header.Get("Content-Security-Policy"), "img-src 'self' https://own.example https://cdn.example;") || strings.Contains(own.Body, "dark.svg") {
		t.Error(own.Header, own.Body)
	}
	if s := p.Get(own.Link("Create an account")); !strings.Contains(s.Body, "https://own.example/logo.png") {
		t.Error(s.Body)
	}
	if s := p.Get("/sign-in"); strings.Contains(s.Body, "own.example") || !strings.Contains(s.Body, "cdn.example/logo.svg") {
		t.Errorf("our own page:\n%s", s.Body)
	}
	sets(f, func(e *store.Experience) { e.Color.Dark = false })
	if s := p.Get(webtest.Authorize()); !strings.Contains(s.Body, `class="light"`) || !strings.Contains(s.Body, `name="color-scheme" content="light"`) || strings.Contains(s.Body, "(prefers-color-scheme") {
		t.Error(s.Body)
	}
}

func TestLanguageAndUnknownSession(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	sets(f, func(e *store.Experience) {
		e.Language = store.LanguageInfo{AutoDetect: false, Fallback: "ja"}
		e.UnknownSession = "https://shop.example/start"
	})
	p := f.Person()
	p.Headers.Set("Accept-Language", "de")
	if s := p.Get(webtest.Authorize()); !strings.Contains(s.Body, `lang="ja"`) {
		t.Error(s.Body)
	}
	if s := p.Get(webtest.Authorize("ui_locales", "fr")); !strings.Contains(s.Body, `lang="fr"`) {
		t.Error(s.Body)
	}
	if s := p.Get("/verify?r=nonsense"); s.Status != 303 || s.Location() != "https://shop.example/start" {
		t.Errorf("%d %s", s.Status, s.Location())
	}
	p.Get("/not-me?t=cut").Want(400)
	s := p.Get(webtest.Authorize())
	if lost := s.Post("/verify", map[string][]string{"r": {"nonsense"}}); lost.Status != 400 || !strings.Contains(lost.Body, `href="https://shop.example/start"`) {
		t.Errorf("%d %s", lost.Status, lost.Body)
	}
}

func TestCodePolicy(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Register("ada@example.com")
	sets(f, func(e *store.Experience) { e.Codes = store.CodePolicy{Seconds: 120, Tries: 2} })
	code := f.Person().ToCode("/sign-in", "ada@example.com")
	typed := f.Code("ada@example.com", 2)
	code.Submit("/verify", "code", webtest.Wrong(typed)).Want(422, "1 try left")
	f.DB.AdvanceForTest(121 * 1e9)
	code.Submit("/verify", "code", typed).Want(410)
}
