package signin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/otp"
	"idp/web/webtest"
)

func TestRegisterThenSignIn(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	p := f.Person()
	page := p.Get(webtest.Authorize("first_screen", "register")).Want(200, "Create your Bookstore account")
	page = page.Submit("/register", "email", " Ada@Example.com ").Follow().Want(200, "Enter your code", ada)
	done := page.Submit("/verify", "code", f.Code(ada, 1))
	to, _ := url.Parse(done.Header.Get("Location"))
	if done.Status != 303 || !strings.HasPrefix(to.String(), webtest.Callback+"?") || to.Query().Get("code") == "" || to.Query().Get("state") != "xyz" || to.Query().Get("iss") == "" {
		t.Fatalf("%d %s %s", done.Status, to, done.Text())
	}
	again := page.Submit("/verify", "code", f.Code(ada, 1))
	if again.Header.Get("Location") != to.String() {
		t.Errorf("a double click went to %q, the first to %q", again.Header.Get("Location"), to)
	}

	q := f.Person()
	code := q.ToCode("/sign-in", ada)
	typed := f.Code(ada, 2)
	if s := code.Submit("/verify", "code", typed[:3]+" - "+typed[3:]); s.Status != 303 {
		t.Errorf("a code with a space and a dash: %d %s", s.Status, s.Text())
	}
}

func TestAddressErrorsKeepWhatWasTyped(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	page := p.Get(webtest.Authorize())
	page.Submit("/sign-in", "email", "  ").Want(422, "Enter your email address.")
	s := page.Submit("/sign-in", "email", `ada"><b>@x`).Want(422, "not an email address")
	if !strings.Contains(s.Body, `value="ada&#34;&gt;&lt;b&gt;@x"`) || !strings.Contains(s.Body, `aria-describedby="email-error"`) || !strings.Contains(s.Body, `role="alert"`) {
		t.Error(s.Body)
	}
	s.Submit("/sign-in", "email", "ada@example.com").Follow().Want(200, "ada@example.com")
}

func TestLoginHintAndScreens(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	s := p.Get(webtest.Authorize("login_hint", "ada@example.com")).Want(200, "Sign in to Bookstore")
	if !strings.Contains(s.Body, `value="ada@example.com"`) {
		t.Error("the hint is not in the field")
	}
	register := p.Get(s.Link("Create an account")).Want(200, "Create your Bookstore account")
	p.Get(register.Link("Sign in")).Want(200, "Sign in to Bookstore")
	recover := p.Get(webtest.Authorize("first_screen", "reset_password")).Want(200, "Recover your Bookstore account")
	p.Get(recover.Link("Back to sign-in")).Want(200, "Sign in to Bookstore")
}

func TestWrongCodesUntilSpent(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	f.Register(ada)
	p := f.Person()
	page := p.ToCode("/sign-in", ada)
	bad := webtest.Wrong(f.Code(ada, 2))
	for left := 4; left > 0; left-- {
		tries := "tries left"
		if left == 1 {
			tries = "1 try left"
		}
		s := page.Submit("/verify", "code", bad).Want(422, "not right", tries)
		if !strings.Contains(s.Body, `value="`+bad+`"`) {
			t.Error("what was typed is gone")
		}
	}
	page.Submit("/verify", "code", "12").Want(422, "A code has 6 digits")
	page.Submit("/verify", "code", "").Want(422, "Enter the code")
	spent := page.Submit("/verify", "code", bad).Want(410, "a new code", ada)
	spent.Submit("/sign-in").Follow().Want(200, "Enter your code", ada)
	if s := p.Get("/verify?"+page.Form("/verify").Encode()).Submit("/verify", "code", f.Code(ada, 2)); s.Status != 410 {
		t.Errorf("a right code on a spent challenge: %d", s.Status)
	}
}

func TestResend(t *testing.T) {
	t.Parallel()
	f := webtest.New(t, func(c *otp.Config) { c.ResendWaits = []time.Duration{30 * time.Second} })
	const ada = "ada@example.com"
	p := f.Person()
	page := p.ToCode("/register", ada)
	if s := page.Submit("/verify/resend").Want(429, "too soon").Text(); !regexp.MustCompile(`0:(30|2\d)`).MatchString(s) {
		t.Error(s)
	}
	first := f.Code(ada, 1)
	for n := 2; n <= 3; n++ {
		f.DB.AdvanceForTest(31 * time.Second)
		page = page.Submit("/verify/resend").Follow().Want(200, "Earlier codes still work.")
		f.Code(ada, n)
	}
	p.Do(http.MethodPost, "/verify/resend", page.Form("/verify")).Want(429, "All codes for this sign-in have been sent")
	if s := page.Submit("/verify", "code", first); s.Status != 303 {
		t.Errorf("the first mail's code: %d %s", s.Status, s.Text())
	}
}

func TestSendLimitIsTheSameForKnownAndUnknown(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Register("known@example.com") // takes one
	seen := map[string]string{}
	for _, email := range []string{"known@example.com", "unknown@example.com"} {
		p := f.Person()
		for n := range 6 {
			s := p.Get(webtest.Authorize()).Submit("/sign-in", "email", email)
			if s.Status == 429 {
				seen[email] = strings.ReplaceAll(s.Want(429, "Try again in", "minutes").Text(), email, "")
				if s.Header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				break
			}
			if n == 5 {
				t.Errorf("%s has no limit", email)
			}
		}
	}
	if seen["known@example.com"] != seen["unknown@example.com"] {
		t.Errorf("the pages differ:\n%s\n%s", seen["known@example.com"], seen["unknown@example.com"])
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	const ada = "ada@example.com"
	ask := p.ToCode("/sign-in", ada).Submit("/verify", "code", f.Code(ada, 1)).Want(200, "Create an account?", ada)
	if s := ask.Submit("/verify"); s.Status != 303 {
		t.Fatalf("confirm: %d %s", s.Status, s.Text())
	}
	q := f.Person()
	ask = q.ToCode("/register", ada).Submit("/verify", "code", f.Code(ada, 2)).Want(200, "You have an account", ada)
	if s := ask.Submit("/verify"); s.Status != 303 {
		t.Errorf("confirm: %d %s", s.Status, s.Text())
	}
}

func TestExpiredRequestRestartsInPlace(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	page := p.ToCode("/register", "ada@example.com")
	f.Code("ada@example.com", 1) // it is out: a mail whose code is dead would not be sent
	f.DB.AdvanceForTest(2 * time.Hour)
	s := p.Get("/sign-in?r="+page.Form("/verify").Get("r")).Want(200, "started afresh", "Sign in to Bookstore")
	again := page.Submit("/verify", "code", "000000").Want(410, "has expired")
	next := again.Submit("/register").Follow().Want(200, "Enter your code")
	if in := next.Submit("/verify", "code", f.Code("ada@example.com", 2)); in.Status != 303 {
		t.Errorf("after the restart: %d %s", in.Status, in.Text())
	}
	s.Submit("/sign-in", "email", "ada@example.com").Follow().Want(200, "Enter your code")
	p = f.Person()
	stale := p.Get(webtest.Authorize())
	f.DB.AdvanceForTest(2 * time.Hour)
	kept := stale.Submit("/sign-in", "email", "bob@example.com").Want(200, "started afresh")
	if !strings.Contains(kept.Body, `value="bob@example.com"`) {
		t.Error("what was typed is gone")
	}
	f.DB.AdvanceForTest(30 * time.Hour)
	stale.Submit("/sign-in", "email", "bob@example.com").Want(400, "Start again in your app")
}

func TestExpiredChallenge(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	page := p.ToCode("/register", "ada@example.com")
	code := f.Code("ada@example.com", 1)
	f.DB.AdvanceForTest(11 * time.Minute)
	page.Submit("/verify", "code", code).Want(422, "too old")
	f.DB.AdvanceForTest(25 * time.Minute)
	p.Get("/verify?"+page.Form("/verify").Encode()).Want(410, "has expired")
	page.Submit("/verify", "code", code).Want(410, "has expired")
	page.Submit("/verify/resend").Want(410, "has expired")
}

func TestUsedCode(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	page := p.ToCode("/register", "ada@example.com")
	page.Submit("/verify", "code", f.Code("ada@example.com", 1)).Want(303)
	f.DB.AdvanceForTest(2 * time.Minute)
	used := page.Submit("/verify", "code", f.Code("ada@example.com", 1)).Want(410, "used this code already")
	p.Get(used.Link("Start again")).Want(200, "Create your Bookstore account")
	page.Submit("/verify/resend").Want(410, "used this code already")
}

func TestStatus(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	page := p.ToCode("/register", "ada@example.com")
	f.Code("ada@example.com", 1)
	status := "/verify/status?c=" + page.Form("/verify").Get("c")
	var st struct {
		Mail                  string
		NextSendIn, TriesLeft int
		Done                  bool
	}
	for end := time.Now().Add(15 * time.Second); st.Mail != "sent" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err := json.Unmarshal([]byte(p.Get(status).Want(200).Body), &st); err != nil {
			t.Fatal(err)
		}
	}
	if st.Mail != "sent" || st.NextSendIn < 50 || st.TriesLeft != 5 || st.Done {
		t.Errorf("%+v", st)
	}
	page.Submit("/verify", "code", f.Code("ada@example.com", 1)).Want(303)
	if err := json.Unmarshal([]byte(p.Get(status).Body), &st); err != nil || !st.Done {
		t.Errorf("%+v %v", st, err)
	}
	p.Get("/verify/status").Want(404)
	p.Get("/verify/status?c=%00").Want(404)
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	p.Headers.Set("Accept-Language", "ja-JP,ja;q=0.9,en;q=0.5")
	page := p.Get(webtest.Authorize()).Want(200, "Bookstore にサインイン")
	p.Get(webtest.Authorize("ui_locales", "en-GB")).Want(200, "Sign in to Bookstore")
	// The person overrules the app, on this page and on those after it.
	forced := p.Get(webtest.Authorize("ui_locales", "ja"))
	english := p.Get(forced.Link("English")).Want(200, "Sign in to Bookstore")
	english.Submit("/sign-in", "email", "ada@example.com").Follow().Want(200, "Enter your code")
	p.Get(webtest.Authorize()).Want(200, "Sign in to Bookstore") // remembered
	code := page.Submit("/sign-in", "email", "ada@example.com").Follow().Want(200, "Enter your code")
	p.Get(code.Link("日本語")).Want(200, "コードを入力してください")
	q := f.Person()
	q.Headers.Set("Accept-Language", "xx, *;q=0.1")
	q.Get(webtest.Authorize()).Want(200, "Sign in to Bookstore")
}

func TestTyposAndMailboxes(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	page := p.ToCode("/sign-in", "ada@gmial.com").Want(200, "Did you mean", "ada@gmail.com")
	right := page.Submit("/sign-in").Follow().Want(200, "Open Gmail")
	if strings.Contains(right.Text(), "Did you mean") {
		t.Error("a right address is doubted")
	}
	p.ToCode("/sign-in", "ada@example.com")
}

func TestSuspended(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Register("ada@example.com")
	f.Suspend("ada@example.com")
	p := f.Person()
	page := p.ToCode("/sign-in", "ada@example.com")
	s := page.Submit("/verify", "code", f.Code("ada@example.com", 2)).Want(403, "suspended")
	if to := p.Get(s.Link("Return to Bookstore")).Want(303).Header.Get("Location"); !strings.Contains(to, "access_denied") {
		t.Error(to)
	}
}

// The app has named by its ID token who it wants. Whoever else signs in is signed in,
// and the app is not told who that is.
func TestSomebodyElseSignsIn(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Register("bob@example.com")
	p := f.Person()
	done := p.ToCode("/register", "ada@example.com").Submit("/verify", "code", f.Code("ada@example.com", 1)).Want(303)
	token := p.Post("/oidc/token", url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"shop"}, "redirect_uri": {webtest.Callback},
		"code": {webtest.URL(done.Location()).Query().Get("code")}, "code_verifier": {webtest.Verifier},
	}).Want(200)
	var tokens struct {
		IDToken string `json:"id_token"`
	}
	if err := json.Unmarshal([]byte(token.Body), &tokens); err != nil {
		t.Fatal(err)
	}
	page := p.Get(webtest.Authorize("prompt", "login", "id_token_hint", tokens.IDToken)).Want(200)
	code := page.Submit("/sign-in", "email", "bob@example.com").Follow()
	for range 2 {
		to := webtest.URL(code.Submit("/verify", "code", f.Code("bob@example.com", 2)).Want(303).Location())
		if q := to.Query(); !strings.HasPrefix(to.String(), webtest.Callback+"?") || q.Get("error") != "login_required" || q.Has("code") || q.Get("state") != "xyz" {
			t.Error(to)
		}
	}
	p.Get("/account").Want(200, "bob@example.com")
}
