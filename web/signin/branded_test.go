package signin_test

import (
	"net/http"

	"idp/store"
	"idp/web/webtest"
)

// brandedPages are pages with what an operator can set, by going there. logo is its address.
func brandedPages(f *webtest.Fixture, lang, logo string) map[string]string {
	sets(f, func(e *store.Experience) {
		e.Color = store.Color{Primary: "#ffb300", Dark: true, DarkPrimary: "#1e5b3a"}
		e.Branding = store.Branding{LogoURL: logo, Favicon: logo}
		e.TermsOfUseURL, e.PrivacyPolicyURL, e.Terms = "https://shop.example/terms", "https://shop.example/privacy", store.TermsRegister
		e.SupportEmail, e.SupportURL = "help@shop.example", "https://shop.example/help"
		e.Addresses = store.AddressPolicy{BlockDisposable: true}
	})
	p := f.Person()
	p.Headers.Set("Accept-Language", lang)
	pages := map[string]string{}
	register := p.Get(webtest.Authorize("first_screen", "register"))
	pages["branded-register"] = register.Body
	pages["branded-terms-missing"] = register.Submit("/register", "email", "ada@example.com").Body
	pages["branded-blocked"] = register.Submit("/register", "email", "ada@mailinator.com").Body
	code := p.ToCode("/sign-in", "eve@example.com")
	pages["branded-code"] = code.Body
	pages["branded-confirm"] = code.Submit("/verify", "code", f.Code("eve@example.com", 1)).Body
	pages["branded-problem"] = p.Get("/verify?r=nonsense").Body
	sets(f, func(e *store.Experience) { e.Terms = store.TermsAutomatic })
	pages["branded-sign-in"] = p.Get(webtest.Authorize()).Body
	sets(f, func(e *store.Experience) { e.Mode = store.ModeSignIn })
	pages["branded-closed"] = p.Do(http.MethodPost, "/register", register.Form("/register", "email", "ada@example.com")).Body
	pages["branded-nobody"] = code.Submit("/verify", "code", f.Code("eve@example.com", 1)).Body
	sets(f, func(e *store.Experience) { e.Mode = store.ModeRegister })
	pages["branded-only-new"] = p.Get(webtest.Authorize()).Body
	return pages
}
