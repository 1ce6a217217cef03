package applications

import (
	"net/http"
	"net/url"
	"strings"

	"idp/store"
	"idp/web/console/shell"
)

type settingsView struct {
	frame
	shell.Form
	Check     string
	Algs      []shell.Option
	Secretive bool // it has a secret, so PKCE is a choice
	Machine   bool
	Issuer    string
	Undeleted string // why it was not deleted: what was typed was not its name
}

// The settings, in their order, for who is told that somebody else has changed them.
var labels = [][2]string{
	{"name", shell.N("Name")}, {"description", shell.N("Description")}, {"redirectUris", shell.N("Redirect URIs")},
	{"postLogoutRedirectUris", shell.N("Post sign-out redirect URIs")}, {"idTokenAlg", shell.N("Signature of ID tokens")},
	{"pkce", shell.N("Require PKCE")}, {"alwaysRefresh", shell.N("Always issue a refresh token")}, {"customData", shell.N("Custom data")},
}

// settings is GET /console/applications/{id}.
func (p *Pages) settings(v *shell.Visit) error {
	c, err := p.of(v)
	if err != nil {
		return err
	}
	return p.showSettings(v, http.StatusOK, c, shell.NewForm(settingsOf(c), c.UpdatedAt), "")
}

func (p *Pages) showSettings(v *shell.Visit, status int, c store.Client, form shell.Form, wrong string) error {
	view := settingsView{
		frame: p.frame(v, c, tabSettings), Form: form, Check: checkPath(c.Type), Algs: algs(v), Secretive: c.Type == store.Traditional,
		Machine: c.Type == store.Machine, Issuer: strings.TrimSuffix(p.shell.Endpoint.String(), "/") + "/oidc", Undeleted: wrong,
	}
	return v.Show(status, p.set, "settings", &view)
}

// settingsOf is what stands in the form of a client.
func settingsOf(c store.Client) url.Values {
	values := url.Values{
		"name": {c.Name}, "description": {c.Description}, "idTokenAlg": {c.IDTokenAlg},
		"redirectUris": {lines(c.RedirectURIs)}, "postLogoutRedirectUris": {lines(c.PostLogoutRedirectURIs)}, "customData": {customData(c)},
	}
	if c.PKCE {
		values.Set("pkce", "1")
	}
	if c.AlwaysRefresh {
		values.Set("alwaysRefresh", "1")
	}
	return values
}

// saveSettings is POST /console/applications/{id}.
func (p *Pages) saveSettings(v *shell.Visit) error {
	form := v.Typed()
	id := v.Param("id")
	data, wrong := v.CustomData(v.Got("customData"))
	if wrong != "" {
		form.Reject("customData", wrong)
		c, err := p.of(v)
		if err != nil {
			return err
		}
		return p.showSettings(v, http.StatusUnprocessableEntity, c, form, "")
	}
	var sent store.Client
	_, err := p.admin.UpdateClient(v.R.Context(), v.By, id, form.Seen(), func(c *store.Client) error {
		c.Name, c.Description = v.Got("name"), v.Got("description")
		c.IDTokenAlg, c.CustomData = v.Form.Get("idTokenAlg"), data
		if c.Type != store.Machine {
			c.RedirectURIs, c.PostLogoutRedirectURIs = form.Lines("redirectUris"), form.Lines("postLogoutRedirectUris")
			c.AlwaysRefresh = form.Has("alwaysRefresh", "1")
		}
		if c.Type == store.Traditional {
			c.PKCE = form.Has("pkce", "1")
		}
		sent = *c
		return nil
	})
	if err == nil {
		return v.Done(pathOf(id), v.T("Saved."))
	}
	if changed := store.CodeOf(err) == store.Changed; changed || taken(v, &form, sent, err) {
		c, err := p.of(v)
		if err != nil {
			return err
		}
		if changed {
			theirs := settingsOf(c)
			if c.Type != store.Traditional { // it is no choice of theirs, and has no field
				theirs.Del("pkce")
			}
			form.Changed(theirs, c.UpdatedAt, translated(v, labels)...)
			form.Call("pkce", v.Ticks())
			form.Call("alwaysRefresh", v.Ticks())
			form.Call("idTokenAlg", algs(v))
			return p.showSettings(v, http.StatusConflict, c, form, "")
		}
		return p.showSettings(v, http.StatusUnprocessableEntity, c, form, "")
	}
	return err
}

// delete is POST /console/applications/{id}/delete.
func (p *Pages) delete(v *shell.Visit) error {
	c, err := p.of(v)
	if err != nil {
		return err
	}
	if !v.Confirmed(c.Name) {
		return p.showSettings(v, http.StatusUnprocessableEntity, c, shell.NewForm(settingsOf(c), c.UpdatedAt), v.T("That is not its name. Nothing was deleted."))
	}
	if err := p.admin.DeleteClient(v.R.Context(), v.By, c.ID, c.UpdatedAt); err != nil {
		return err
	}
	return v.Done(listPath, v.T("Deleted %s.", c.Name))
}

// algs are the algorithms that sign ID tokens.
func algs(v *shell.Visit) []shell.Option {
	return []shell.Option{
		{Value: "ES256", Name: v.T("ES256, which most libraries take")},
		{Value: "RS256", Name: v.T("RS256, for libraries that take nothing else")},
		{Value: "ES384", Name: v.T("ES384, Logto’s default")},
		{Value: "EdDSA", Name: v.T("EdDSA, the newest")},
	}
}

func translated(v *shell.Visit, labels [][2]string) [][2]string {
	out := make([][2]string, len(labels))
	for i, l := range labels {
		out[i] = [2]string{l[0], v.T(l[1])}
	}
	return out
}

// customData is what stands in its field: nothing where there is none.
func customData(c store.Client) string {
	if len(c.CustomData) == 0 || string(c.CustomData) == "{}" {
		return ""
	}
	return shell.PrettyJSON(c.CustomData)
}
