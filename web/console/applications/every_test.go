package applications_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

// every is all pages of the area, by name, as somebody in a language sees them.
func every(f *webtest.Fixture, lang string) map[string]string {
	f.Helper()
	p := f.Operator(store.RoleOwner)
	p.Get("/console/applications?lang=" + lang)
	_, secret := f.Admin.NewSecret("Production", f.DB.Now().AddDate(0, 3, 0))
	_, old := f.Admin.NewSecret("Default secret", time.Time{})
	web, err := f.Admin.CreateClient(f.Context(), audit.Command(), store.Client{
		Name: "Bücherladen <b>& Söhne</b> שלום", Type: store.Traditional, PKCE: true, Secrets: []store.ClientSecret{old, secret},
		RedirectURIs: []string{"https://shop.example/callback", "http://localhost:5000/callback"}, PostLogoutRedirectURIs: []string{"http://localhost:5000/"},
	}, nil)
	f.Must(err)
	machine, err := f.Admin.CreateClient(f.Context(), audit.Command(), store.Client{Name: "Nightly", Type: store.Machine, Secrets: []store.ClientSecret{}}, nil)
	f.Must(err)
	path := "/console/applications/" + web.ID
	list := p.Get("/console/applications")
	naming := p.Get("/console/applications/new?for=flask")
	settings := p.Get(path)
	secrets := p.Get(path + "/secrets")
	pages := map[string]*webtest.Shown{
		"list": list, "none-found": p.Get("/console/applications?q=nothing"), "new": p.Get("/console/applications/new"), "name": naming,
		"name-machine": p.Get("/console/applications/new?for=machine"),
		"name-wrong":   naming.Submit("/console/applications", "name", "", "redirectUris", "https://shop.example/callback\nhttp://shop.example/callback\nshop"),
		"made":         naming.Submit("/console/applications", "name", "Bookstore"),
		"made-native":  p.Get("/console/applications/new?for=native").Submit("/console/applications", "name", "Reader"),
		"made-machine": p.Get("/console/applications/new?for=machine").Submit("/console/applications", "name", "Robot"),
		"settings":     settings, "deletion": settings.Submit(path+"/delete", "confirm", "another"),
		"guide": p.Get(path + "/guide?as=express"), "secrets": secrets, "secret": p.Get(path + "/secrets/" + web.Secrets[0].ID.String()),
		"secret-made": secrets.Submit(path+"/secrets", "name", "CI"), "secret-wrong": secrets.Submit(path+"/secrets", "name", "Production", "once", "another"),
		"branding": p.Get(path + "/branding"), "redirects": p.Get(path + "/redirects"), "redirect-matches": p.Get(path + "/redirects?sent=https://shop.example/callback"),
		"redirect-differs": p.Get(path + "/redirects?sent=https://shop.example/Callback"), "roles": p.Get("/console/applications/" + machine.ID + "/roles"),
		"settings-machine": p.Get("/console/applications/" + machine.ID), "no-secrets": p.Get("/console/applications/" + machine.ID + "/secrets"),
	}
	_, err = f.Admin.UpdateClient(f.Context(), audit.Command(), web.ID, time.Time{}, func(c *store.Client) error { c.Description = "Theirs"; return nil })
	f.Must(err)
	pages["conflict"] = settings.Submit(path, "description", "Mine")
	bodies := map[string]string{}
	for name, page := range pages {
		bodies[name] = page.Body
	}
	return bodies
}

// Every page is whole in both languages: nothing inline, nothing of elsewhere, one heading,
// and names stay text.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ja"} {
		f := webtest.New(t)
		for name, body := range every(f, lang) {
			for what, ok := range map[string]bool{
				"its language":   strings.Contains(body, `<html lang="`+lang+`"`),
				"one heading":    strings.Count(body, "<h1>") == 1,
				"nothing inline": !inline.MatchString(body),
				"names as text":  !strings.Contains(body, "<b>&"),
				"only values":    !strings.Contains(body, "ZgotmplZ") && !strings.Contains(body, "{{") && !strings.Contains(body, "%!"),
			} {
				if !ok {
					t.Errorf("%s in %s lacks: %s\n%s", name, lang, what, body)
				}
			}
		}
	}
}

var inline = regexp.MustCompile(`<style|<script>| style=| on[a-z]+=`)
