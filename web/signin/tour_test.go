package signin_test

import (
	"net/http"
	"time"

	"idp/web/webtest"
)

// everyPage collects the HTML of all pages by going there.
func everyPage(f *webtest.Fixture, lang string) map[string]string {
	p := f.Person()
	p.Headers.Set("Accept-Language", lang)
	pages := map[string]string{}
	keep := func(name string, s *webtest.Shown) *webtest.Shown { pages[name] = s.Body; return s }
	const ada = "ada@example.com"

	first := keep("address", p.Get(webtest.Authorize()))
	keep("register", p.Get(webtest.Authorize("first_screen", "register", "login_hint", ada)))
	keep("address-invalid", first.Submit("/sign-in", "email", "ada@example"))
	code := keep("code", first.Submit("/sign-in", "email", "ada.lovelace@gmail.com").Follow())
	keep("code-typo", p.ToCode("/register", "ada@gmial.com"))
	keep("code-plain", p.ToCode("/sign-in", "a.rather.long.name.of.a.person@subdomain.of.a.company.example.com"))
	p.ToCode("/sign-in", "nobody.reads.this@subdomain.of.a.company.example.com")
	bounce(f, true)
	keep("code-bounced", p.ToCode("/sign-in", "nobody.reads.this@subdomain.of.a.company.example.com"))
	keep("code-early", code.Submit("/verify/resend"))
	typed := f.Code("ada.lovelace@gmail.com", 1)
	keep("confirm", code.Submit("/verify", "code", typed))
	keep("code-wrong", code.Submit("/verify", "code", webtest.Wrong(typed)))
	keep("code-format", code.Submit("/verify", "code", "12ab"))
	for range 3 {
		code.Submit("/verify", "code", webtest.Wrong(typed))
	}
	keep("spent", code.Submit("/verify", "code", webtest.Wrong(typed)))
	for n := range 9 {
		if s := p.Get(webtest.Authorize()).Submit("/sign-in", "email", "many@example.com"); s.Status == 429 {
			keep("address-limited", s)
			break
		} else if n == 8 {
			f.Fatal("no limit")
		}
	}

	f.Mails.Fill(20 * time.Hour)
	keep("address-full", p.Get(webtest.Authorize()).Submit("/sign-in", "email", ada))
	keep("code-full", code.Submit("/verify/resend"))
	f.Mails.Fill(0)
	keep("code-guessed", guessed(f, "guessed@example.com", lang))
	keep("code-long", p.ToCode("/sign-in", "guessed@example.com"))
	keep("code-long-format", p.ToCode("/sign-in", "guessed@example.com").Submit("/verify", "code", "7K2QD-9XWMR-TVH4B-0N8CA"))

	keep("own", p.Get("/sign-in"))
	rescue := keep("recover", p.Get(webtest.Authorize("first_screen", "reset_password")))
	keep("code-recover", rescue.Submit("/recover", "email", "ada.lovelace@example.com").Follow())
	signedIn := f.Person().SignedUp("signed.in@example.com")
	signedIn.Headers.Set("Accept-Language", lang)
	keep("choose", signedIn.Get(webtest.Authorize("prompt", "select_account")))
	keep("choose-hinted", signedIn.Get(webtest.Authorize("login_hint", "a.rather.long.name.of.a.person@subdomain.of.a.company.example.com")))

	f.Register(ada)
	q := f.Person()
	q.Headers.Set("Accept-Language", lang)
	exists := q.ToCode("/register", ada)
	keep("confirm-exists", exists.Submit("/verify", "code", f.Code(ada, 2)))
	f.Suspend(ada)
	keep("suspended", q.ToCode("/sign-in", ada).Submit("/verify", "code", f.Code(ada, 3)))

	used := p.ToCode("/register", "used@example.com")
	used.Submit("/verify", "code", f.Code("used@example.com", 1)).Want(303)
	stale := exists.Form("/verify")
	f.DB.AdvanceForTest(48 * time.Second)
	again := f.Person()
	again.Headers.Set("Accept-Language", lang)
	second := again.ToCode("/sign-in", "second@example.com")
	f.DB.AdvanceForTest(48 * time.Second)
	keep("code-second", second.Submit("/verify/resend").Follow())
	f.DB.AdvanceForTest(2 * time.Minute)
	keep("used", used.Submit("/verify", "code", f.Code("used@example.com", 1)))
	f.DB.AdvanceForTest(40 * time.Minute)
	keep("expired", q.Do(http.MethodPost, "/verify", stale))
	f.DB.AdvanceForTest(time.Hour)
	keep("restarted", q.Get("/sign-in?r="+stale.Get("r")))

	mailed := f.Person()
	mailed.Headers.Set("Accept-Language", lang)
	mailed.ToCode("/sign-in", "mailed@example.com")
	m := f.Mail("mailed@example.com", 1)
	keep("link", mailed.Get(m.Link))
	mailed.Get(webtest.Authorize("first_screen", "reset_password")).Submit("/recover", "email", "used@example.com").Follow()
	keep("link-recover", mailed.Get(f.Mail("used@example.com", 2).Link))
	handed := mailed.Get(webtest.Authorize("one_time_token", handOver(f, "mailed@example.com", ""), "login_hint", "mailed@example.com"))
	keep("token", handed)
	handed.Submit("/one-time-token").Want(http.StatusSeeOther)
	f.DB.AdvanceForTest(2 * time.Minute)
	keep("token-dead", handed.Submit("/one-time-token"))
	elsewhere := f.Person()
	elsewhere.Headers.Set("Accept-Language", lang)
	keep("elsewhere", elsewhere.Get(m.Link))
	asks := keep("not-me", elsewhere.Get(f.NotMe(m)))
	keep("not-me-stale", elsewhere.Do(http.MethodPost, "/not-me", map[string][]string{"t": {asks.Form("/not-me").Get("t")}}))
	done := keep("disowned", asks.Submit("/not-me"))
	keep("unmuted", done.Submit("/not-me"))
	keep("disowned-session", elsewhere.Get(f.NotMe(f.Mail("used@example.com", 1))).Submit("/not-me"))
	f.DB.AdvanceForTest(11 * time.Minute)
	keep("late", elsewhere.Get(m.Link))

	fresh := f.Person()
	fresh.Headers.Set("Accept-Language", lang)
	keep("cookies", fresh.Do(http.MethodPost, "/sign-in", first.Form("/sign-in")))
	keep("missing", fresh.Get("/nowhere"))
	keep("client", fresh.Get(webtest.Authorize("client_id", "nobody")))
	keep("request", fresh.Get("/oidc/auth?client_id=shop&client_id=shop"))
	keep("mismatch", fresh.Get(webtest.Authorize("redirect_uri", "https://shop.example/callbacks/now")))
	fresh.Get(webtest.Authorize())
	keep("broken", fresh.Get("/sign-in?r=x"))
	live := fresh.Get(webtest.Authorize())
	keep("gone", fresh.Get("/verify?c=x&r="+live.Form("/sign-in").Get("r")))
	keep("bad", fresh.Do(http.MethodPost, "/sign-in", map[string][]string{"r": {"a", "b"}}))
	fresh.Headers.Set("Sec-Fetch-Site", "cross-site")
	keep("cross", fresh.Do(http.MethodPost, "/sign-in", live.Form("/sign-in")))
	fresh.Headers.Del("Sec-Fetch-Site")
	f.Outage.On.Store(true)
	keep("unavailable", live.Submit("/sign-in", "email", ada))
	f.Outage.On.Store(false)
	return pages
}
