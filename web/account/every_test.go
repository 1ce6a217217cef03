package account_test

import (
	"net/url"
	"testing"

	"idp/web/webtest"
)

func TestEveryPage(t *testing.T) {
	t.Parallel()
	for _, lang := range webtest.Languages() {
		f := webtest.New(t)
		f.Check(lang, everyPage(f, lang))
	}
}

// everyPage collects the HTML of all pages by going there.
func everyPage(f *webtest.Fixture, lang string) map[string]string {
	pages := map[string]string{}
	keep := func(name string, s *webtest.Shown) *webtest.Shown { pages[name] = s.Body; return s }
	with := func(agent string) *webtest.Person {
		p := f.Person()
		p.Headers.Set("Accept-Language", lang)
		if agent != "" {
			p.Headers.Set("User-Agent", agent)
		}
		return p
	}
	const bob = "a.rather.long.name.of.a.person@subdomain.of.a.company.example.com"
	with("curl").SignedUp(bob)
	f.Rename(bob, "Bartholomew Featherstonehaugh-Cholmondeley")
	for n, agent := range []string{
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1",
		"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
	} {
		with(agent).SignedIn(bob, n+2)
	}
	first := with("").SignedUp(ada)
	keep("account", first.Get("/account"))
	p := with("").SignedIn(bob, 4)
	many := keep("account-many", p.Get("/account"))
	keep("account-ended", many.Submit("/account/sessions").Follow())
	keep("account-stale", p.Post("/account/sessions", url.Values{}))
	keep("ask-app", p.Get(endSession()))
	keep("ask", p.Get("/oidc/session/end"))
	keep("signed-out", many.Submit("/account/sign-out").Follow())
	keep("signed-out-mismatch", p.Get(endSession("post_logout_redirect_uri", webtest.AfterSignOut+"/now")))
	return pages
}
