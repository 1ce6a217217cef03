package signin_test

import (
	"regexp"
	"strings"
	"testing"

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
	for _, varies := range []*regexp.Regexp{regexp.MustCompile(`[\w-]{60,}`), regexp.MustCompile(`ada|eve`), regexp.MustCompile(`(data-seconds="|0:)\d+`)} {
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
	page := p.Get(webtest.Authorize()).Want(200, "By continuing you agree to: Terms of use · Privacy policy")
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
