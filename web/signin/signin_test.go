package signin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/otp"
)

func TestRegisterThenSignIn(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const ada = "ada@example.com"
	p := f.person()
	page := p.get(authorize("first_screen", "register")).want(200, "Create your Bookstore account")
	page = page.submit("/register", "email", " Ada@Example.com ").follow().want(200, "Enter your code", ada)
	done := page.submit("/verify", "code", f.mail(ada, 1))
	to, _ := url.Parse(done.header.Get("Location"))
	if done.status != 303 || !strings.HasPrefix(to.String(), callback+"?") || to.Query().Get("code") == "" || to.Query().Get("state") != "xyz" || to.Query().Get("iss") == "" {
		t.Fatalf("%d %s %s", done.status, to, done.text())
	}
	again := page.submit("/verify", "code", f.mail(ada, 1))
	if again.header.Get("Location") != to.String() {
		t.Errorf("a double click went to %q, the first to %q", again.header.Get("Location"), to)
	}

	q := f.person()
	code := q.toCode("/sign-in", ada)
	typed := f.mail(ada, 2)
	if s := code.submit("/verify", "code", typed[:3]+" - "+typed[3:]); s.status != 303 {
		t.Errorf("a code with a space and a dash: %d %s", s.status, s.text())
	}
}

func TestAddressErrorsKeepWhatWasTyped(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	page := p.get(authorize())
	page.submit("/sign-in", "email", "  ").want(422, "Enter your email address.")
	s := page.submit("/sign-in", "email", `ada"><b>@x`).want(422, "not an email address")
	if !strings.Contains(s.body, `value="ada&#34;&gt;&lt;b&gt;@x"`) || !strings.Contains(s.body, `aria-describedby="email-error"`) || !strings.Contains(s.body, `role="alert"`) {
		t.Error(s.body)
	}
	s.submit("/sign-in", "email", "ada@example.com").follow().want(200, "ada@example.com")
}

func TestLoginHintAndScreens(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	s := p.get(authorize("login_hint", "ada@example.com")).want(200, "Sign in to Bookstore")
	if !strings.Contains(s.body, `value="ada@example.com"`) {
		t.Error("the hint is not in the field")
	}
	register := p.get(s.link("Create an account")).want(200, "Create your Bookstore account")
	p.get(register.link("Sign in")).want(200, "Sign in to Bookstore")
	recover := p.get(authorize("first_screen", "reset_password")).want(200, "Recover your Bookstore account")
	p.get(recover.link("Back to sign-in")).want(200, "Sign in to Bookstore")
}

func TestWrongCodesUntilSpent(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const ada = "ada@example.com"
	f.register(ada)
	p := f.person()
	page := p.toCode("/sign-in", ada)
	bad := wrong(f.mail(ada, 2))
	for left := 4; left > 0; left-- {
		tries := "tries left"
		if left == 1 {
			tries = "1 try left"
		}
		s := page.submit("/verify", "code", bad).want(422, "not right", tries)
		if !strings.Contains(s.body, `value="`+bad+`"`) {
			t.Error("what was typed is gone")
		}
	}
	page.submit("/verify", "code", "12").want(422, "A code has 6 digits")
	page.submit("/verify", "code", "").want(422, "Enter the code")
	spent := page.submit("/verify", "code", bad).want(410, "a new code", ada)
	spent.submit("/sign-in").follow().want(200, "Enter your code", ada)
	if s := p.get("/verify?"+page.form("/verify").Encode()).submit("/verify", "code", f.mail(ada, 2)); s.status != 410 {
		t.Errorf("a right code on a spent challenge: %d", s.status)
	}
}

func TestResend(t *testing.T) {
	t.Parallel()
	f := setup(t, func(c *otp.Config) { c.ResendWaits = []time.Duration{time.Second} })
	const ada = "ada@example.com"
	p := f.person()
	page := p.toCode("/register", ada)
	page.submit("/verify/resend").want(429, "too soon", "0:01")
	first := f.mail(ada, 1)
	for n := 2; n <= 3; n++ {
		time.Sleep(1100 * time.Millisecond)
		page = page.submit("/verify/resend").follow().want(200, "Earlier codes still work.")
		f.mail(ada, n)
	}
	p.do(http.MethodPost, "/verify/resend", page.form("/verify")).want(429, "All codes for this sign-in have been sent")
	if s := page.submit("/verify", "code", first); s.status != 303 {
		t.Errorf("the first mail's code: %d %s", s.status, s.text())
	}
}

func TestSendLimitIsTheSameForKnownAndUnknown(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.register("known@example.com") // takes one
	seen := map[string]string{}
	for _, email := range []string{"known@example.com", "unknown@example.com"} {
		p := f.person()
		for n := range 6 {
			s := p.get(authorize()).submit("/sign-in", "email", email)
			if s.status == 429 {
				seen[email] = strings.ReplaceAll(s.want(429, "Try again in", "minutes").text(), email, "")
				if s.header.Get("Retry-After") == "" {
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
	f := setup(t)
	p := f.person()
	const ada = "ada@example.com"
	ask := p.toCode("/sign-in", ada).submit("/verify", "code", f.mail(ada, 1)).want(200, "Create an account?", ada)
	if s := ask.submit("/verify"); s.status != 303 {
		t.Fatalf("confirm: %d %s", s.status, s.text())
	}
	q := f.person()
	ask = q.toCode("/register", ada).submit("/verify", "code", f.mail(ada, 2)).want(200, "You have an account", ada)
	if s := ask.submit("/verify"); s.status != 303 {
		t.Errorf("confirm: %d %s", s.status, s.text())
	}
}

func TestExpiredRequestRestartsInPlace(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	page := p.toCode("/register", "ada@example.com")
	f.db.AdvanceForTest(2 * time.Hour)
	s := p.get("/sign-in?r="+page.form("/verify").Get("r")).want(200, "started afresh", "Sign in to Bookstore")
	again := page.submit("/verify", "code", "000000").want(410, "has expired")
	next := again.submit("/register").follow().want(200, "Enter your code")
	if in := next.submit("/verify", "code", f.mail("ada@example.com", 2)); in.status != 303 {
		t.Errorf("after the restart: %d %s", in.status, in.text())
	}
	s.submit("/sign-in", "email", "ada@example.com").follow().want(200, "Enter your code")
	p = f.person()
	stale := p.get(authorize())
	f.db.AdvanceForTest(2 * time.Hour)
	kept := stale.submit("/sign-in", "email", "bob@example.com").want(200, "started afresh")
	if !strings.Contains(kept.body, `value="bob@example.com"`) {
		t.Error("what was typed is gone")
	}
	f.db.AdvanceForTest(30 * time.Hour)
	stale.submit("/sign-in", "email", "bob@example.com").want(400, "Start again in your app")
}

func TestExpiredChallenge(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	page := p.toCode("/register", "ada@example.com")
	f.db.AdvanceForTest(11 * time.Minute)
	page.submit("/verify", "code", f.mail("ada@example.com", 1)).want(422, "too old")
	f.db.AdvanceForTest(25 * time.Minute)
	p.get("/verify?"+page.form("/verify").Encode()).want(410, "has expired")
	page.submit("/verify", "code", f.mail("ada@example.com", 1)).want(410, "has expired")
	page.submit("/verify/resend").want(410, "has expired")
}

func TestUsedCode(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	page := p.toCode("/register", "ada@example.com")
	page.submit("/verify", "code", f.mail("ada@example.com", 1)).want(303)
	f.db.AdvanceForTest(2 * time.Minute)
	used := page.submit("/verify", "code", f.mail("ada@example.com", 1)).want(410, "used this code already")
	p.get(used.link("Start again")).want(200, "Create your Bookstore account")
	page.submit("/verify/resend").want(410, "used this code already")
}

func TestStatus(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	page := p.toCode("/register", "ada@example.com")
	f.mail("ada@example.com", 1)
	status := "/verify/status?c=" + page.form("/verify").Get("c")
	var st struct {
		Mail                  string
		NextSendIn, TriesLeft int
		Done                  bool
	}
	for range 100 {
		if err := json.Unmarshal([]byte(p.get(status).want(200).body), &st); err != nil {
			t.Fatal(err)
		}
		if st.Mail == "sent" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if st.Mail != "sent" || st.NextSendIn < 50 || st.TriesLeft != 5 || st.Done {
		t.Errorf("%+v", st)
	}
	page.submit("/verify", "code", f.mail("ada@example.com", 1)).want(303)
	if err := json.Unmarshal([]byte(p.get(status).body), &st); err != nil || !st.Done {
		t.Errorf("%+v %v", st, err)
	}
	p.get("/verify/status").want(404)
	p.get("/verify/status?c=%00").want(404)
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	p.headers.Set("Accept-Language", "ja-JP,ja;q=0.9,en;q=0.5")
	page := p.get(authorize()).want(200, "Bookstore にサインイン")
	p.get(authorize("ui_locales", "en-GB")).want(200, "Sign in to Bookstore")
	// The person overrules the app, on this page and on those after it.
	forced := p.get(authorize("ui_locales", "ja"))
	english := p.get(forced.link("English")).want(200, "Sign in to Bookstore")
	english.submit("/sign-in", "email", "ada@example.com").follow().want(200, "Enter your code")
	p.get(authorize()).want(200, "Sign in to Bookstore") // remembered
	code := page.submit("/sign-in", "email", "ada@example.com").follow().want(200, "Enter your code")
	p.get(code.link("日本語")).want(200, "コードを入力してください")
	q := f.person()
	q.headers.Set("Accept-Language", "xx, *;q=0.1")
	q.get(authorize()).want(200, "Sign in to Bookstore")
}

func TestTyposAndMailboxes(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	page := p.toCode("/sign-in", "ada@gmial.com").want(200, "Did you mean", "ada@gmail.com")
	right := page.submit("/sign-in").follow().want(200, "Open Gmail")
	if strings.Contains(right.text(), "Did you mean") {
		t.Error("a right address is doubted")
	}
	p.toCode("/sign-in", "ada@example.com")
}

func TestSuspended(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.register("ada@example.com")
	f.suspend("ada@example.com")
	p := f.person()
	page := p.toCode("/sign-in", "ada@example.com")
	s := page.submit("/verify", "code", f.mail("ada@example.com", 2)).want(403, "suspended")
	if to := p.get(s.link("Return to Bookstore")).want(303).header.Get("Location"); !strings.Contains(to, "access_denied") {
		t.Error(to)
	}
}
