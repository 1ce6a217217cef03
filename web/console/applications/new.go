package applications

import (
	"net/http"
	"net/url"
	"time"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

type newView struct {
	shell.Frame
	shell.Form
	Cards []card
	For   *framework
	Check string // where addresses are looked at while they are typed
}

type card struct{ Name, About, Href string }

// fields are the names of fields in forms, by those of package admin.
var fields = map[string]string{
	"oidcClientMetadata.redirectUris": "redirectUris", "oidcClientMetadata.postLogoutRedirectUris": "postLogoutRedirectUris",
}

// new is GET /console/applications/new.
func (p *Pages) new(v *shell.Visit) error {
	f := frameworkOf(v.Form.Get("for"), "")
	if f == nil {
		view := newView{Frame: v.Frame(shell.Applications)}
		for _, f := range frameworks {
			view.Cards = append(view.Cards, card{v.T(f.Name), v.T(f.About), listPath + "/new?for=" + f.Key})
		}
		return v.Show(http.StatusOK, p.set, "new", &view)
	}
	form := shell.NewForm(url.Values{"for": {f.Key}, "redirectUris": {f.Callback}, "postLogoutRedirectUris": {f.Out}}, time.Time{})
	return p.showNew(v, http.StatusOK, f, form)
}

func (p *Pages) showNew(v *shell.Visit, status int, f *framework, form shell.Form) error {
	return v.Show(status, p.set, "name", &newView{Frame: v.Frame(shell.Applications), Form: form, For: f, Check: checkPath(f.Type)})
}

// create is POST /console/applications.
func (p *Pages) create(v *shell.Visit) error {
	form := v.Typed()
	f := frameworkOf(v.Form.Get("for"), "")
	if f == nil {
		return &store.Error{Code: store.NotFound, Op: "find framework"}
	}
	c := store.Client{
		Name: v.Got("name"), Type: f.Type, IDTokenAlg: f.Alg, PKCE: f.Type != store.Machine,
		RedirectURIs: form.Lines("redirectUris"), PostLogoutRedirectURIs: form.Lines("postLogoutRedirectUris"),
	}
	if len(c.RedirectURIs) == 0 && f.Type != store.Machine {
		form.Reject("redirectUris", v.T("Without one nobody can sign in to it."))
		return p.showNew(v, http.StatusUnprocessableEntity, f, form)
	}
	err := v.Once(func() (string, error) {
		secret := ""
		if f.Type.Confidential() {
			text, kept := p.admin.NewSecret(admin.DefaultSecret, time.Time{})
			secret, c.Secrets = text, []store.ClientSecret{kept}
		}
		made, err := p.admin.CreateClient(v.R.Context(), v.By, c, nil)
		if err != nil {
			return "", err
		}
		return pathOf(made.ID) + "/guide?as=" + f.Key, p.showMade(v, made, f, secret)
	})
	if taken(v, &form, c, err) {
		return p.showNew(v, http.StatusUnprocessableEntity, f, form)
	}
	return err
}

// taken is [shell.Form.Take] for a client: of addresses that cannot be registered all are
// told at once.
func taken(v *shell.Visit, form *shell.Form, c store.Client, err error) bool {
	if !form.Take(v, err, fields) {
		return false
	}
	for name, wrong := range map[string]string{
		"redirectUris":           wrongLines(v, c.RedirectURIs, c.Type.CheckRedirectURI),
		"postLogoutRedirectUris": wrongLines(v, c.PostLogoutRedirectURIs, c.Type.CheckPostLogoutURI),
	} {
		if wrong != "" {
			form.Reject(name, wrong)
		}
	}
	return true
}
