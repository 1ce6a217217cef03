package signin_test

import (
	"net/http"
	"time"
)

// everyPage collects the HTML of all pages by going there.
func everyPage(f *fixture, lang string) map[string]string {
	p := f.person()
	p.headers.Set("Accept-Language", lang)
	pages := map[string]string{}
	keep := func(name string, s *shown) *shown { pages[name] = s.body; return s }
	const ada = "ada@example.com"

	first := keep("address", p.get(authorize()))
	keep("register", p.get(authorize("first_screen", "register", "login_hint", ada)))
	keep("address-invalid", first.submit("/sign-in", "email", "ada@example"))
	code := keep("code", first.submit("/sign-in", "email", "ada.lovelace@gmail.com").follow())
	keep("code-typo", p.toCode("/register", "ada@gmial.com"))
	keep("code-plain", p.toCode("/sign-in", "a.rather.long.name.of.a.person@subdomain.of.a.company.example.com"))
	keep("code-early", code.submit("/verify/resend"))
	typed := f.mail("ada.lovelace@gmail.com", 1)
	keep("confirm", code.submit("/verify", "code", typed))
	keep("code-wrong", code.submit("/verify", "code", wrong(typed)))
	keep("code-format", code.submit("/verify", "code", "12ab"))
	for range 3 {
		code.submit("/verify", "code", wrong(typed))
	}
	keep("spent", code.submit("/verify", "code", wrong(typed)))
	for n := range 9 {
		if s := p.get(authorize()).submit("/sign-in", "email", "many@example.com"); s.status == 429 {
			keep("address-limited", s)
			break
		} else if n == 8 {
			f.Fatal("no limit")
		}
	}

	f.register(ada)
	q := f.person()
	q.headers.Set("Accept-Language", lang)
	exists := q.toCode("/register", ada)
	keep("confirm-exists", exists.submit("/verify", "code", f.mail(ada, 2)))
	f.suspend(ada)
	keep("suspended", q.toCode("/sign-in", ada).submit("/verify", "code", f.mail(ada, 3)))

	used := p.toCode("/register", "used@example.com")
	used.submit("/verify", "code", f.mail("used@example.com", 1)).want(303)
	stale := exists.form("/verify")
	f.db.AdvanceForTest(48 * time.Second)
	again := f.person()
	again.headers.Set("Accept-Language", lang)
	keep("code-second", again.toCode("/sign-in", "second@example.com").submit2(f, again))
	f.db.AdvanceForTest(2 * time.Minute)
	keep("used", used.submit("/verify", "code", f.mail("used@example.com", 1)))
	f.db.AdvanceForTest(40 * time.Minute)
	keep("expired", q.do(http.MethodPost, "/verify", stale))
	f.db.AdvanceForTest(time.Hour)
	keep("restarted", q.get("/sign-in?r="+stale.Get("r")))

	fresh := f.person()
	fresh.headers.Set("Accept-Language", lang)
	keep("cookies", fresh.do(http.MethodPost, "/sign-in", first.form("/sign-in")))
	keep("missing", fresh.get("/nowhere"))
	keep("client", fresh.get(authorize("client_id", "nobody")))
	keep("request", fresh.get("/oidc/auth?client_id=shop&client_id=shop"))
	keep("mismatch", fresh.get(authorize("redirect_uri", "https://shop.example/callbacks/now")))
	fresh.get(authorize())
	keep("broken", fresh.get("/sign-in?r=x"))
	live := fresh.get(authorize())
	keep("gone", fresh.get("/verify?c=x&r="+live.form("/sign-in").Get("r")))
	keep("bad", fresh.do(http.MethodPost, "/sign-in", map[string][]string{"r": {"a", "b"}}))
	fresh.headers.Set("Sec-Fetch-Site", "cross-site")
	keep("cross", fresh.do(http.MethodPost, "/sign-in", live.form("/sign-in")))
	fresh.headers.Del("Sec-Fetch-Site")
	f.outage.on.Store(true)
	keep("unavailable", live.submit("/sign-in", "email", ada))
	f.outage.on.Store(false)
	return pages
}

// submit2 has a second code sent.
func (s *shown) submit2(f *fixture, p *person) *shown {
	f.db.AdvanceForTest(48 * time.Second)
	return s.submit("/verify/resend").follow()
}
