package applications

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

type secretsView struct {
	frame
	shell.Form
	Secrets []secretRow
	Ends    []shell.Option
	New     string // shown this once
	NewName string
}

// secretRow is a secret in the list, and on its own page.
type secretRow struct {
	store.ClientSecret
	Called, Href string
	Over         bool
}

type secretView struct {
	frame
	shell.Form
	Secret    secretRow
	Undeleted string // why it was not deleted
}

// secrets is GET /console/applications/{id}/secrets.
func (p *Pages) secrets(v *shell.Visit) error {
	c, err := p.confidential(v)
	if err != nil {
		return err
	}
	return p.showSecrets(v, http.StatusOK, c, shell.NewForm(url.Values{}, time.Time{}), "", "")
}

// confidential finds an application that has secrets.
func (p *Pages) confidential(v *shell.Visit) (store.Client, error) {
	c, err := p.of(v)
	if err == nil && !c.Type.Confidential() {
		err = &store.Error{Code: store.NotFound, Op: "find secrets"}
	}
	return c, err
}

func (p *Pages) showSecrets(v *shell.Visit, status int, c store.Client, form shell.Form, text, name string) error {
	view := secretsView{frame: p.frame(v, c, tabSecrets), Form: form, New: text, NewName: name, Ends: []shell.Option{
		{Value: "", Name: v.T("Never")}, {Value: "30", Name: v.T("In 30 days")}, {Value: "90", Name: v.T("In 90 days")},
		{Value: "180", Name: v.T("In half a year")}, {Value: "365", Name: v.T("In a year")},
	}}
	for _, s := range c.Secrets {
		view.Secrets = append(view.Secrets, p.rowOf(c, s))
	}
	return v.Show(status, p.set, "secrets", &view)
}

func (p *Pages) rowOf(c store.Client, s store.ClientSecret) secretRow {
	return secretRow{s, admin.SecretName(s), pathOf(c.ID) + "/secrets/" + s.ID.String(), !s.ExpiresAt.IsZero() && !s.ExpiresAt.After(p.shell.Store.Now())}
}

// addSecret is POST /console/applications/{id}/secrets.
func (p *Pages) addSecret(v *shell.Visit) error {
	c, err := p.confidential(v)
	if err != nil {
		return err
	}
	form := v.Typed()
	until := time.Time{}
	if ends := v.Form.Get("ends"); ends != "" {
		days, err := strconv.Atoi(ends)
		if err != nil || days < 1 || days > 3650 {
			form.Reject("ends", v.T("Choose one of these."))
			return p.showSecrets(v, http.StatusUnprocessableEntity, c, form, "", "")
		}
		until = p.shell.Store.Now().AddDate(0, 0, days)
	}
	err = v.Once(func() (string, error) {
		text, made, err := p.admin.AddSecret(v.R.Context(), v.By, c.ID, v.Got("name"), until)
		if err != nil {
			return "", err
		}
		if c, err = p.of(v); err != nil {
			return "", err
		}
		return pathOf(c.ID) + "/secrets", p.showSecrets(v, http.StatusCreated, c, shell.NewForm(url.Values{}, time.Time{}), text, made.Name)
	})
	if form.Take(v, err) {
		return p.showSecrets(v, http.StatusUnprocessableEntity, c, form, "", "")
	}
	return err
}

// findSecret finds the secret of a visit.
func (p *Pages) findSecret(v *shell.Visit) (c store.Client, s store.ClientSecret, err error) {
	if c, err = p.confidential(v); err != nil {
		return c, s, err
	}
	for _, s := range c.Secrets {
		if s.ID.String() == v.Param("secret") {
			return c, s, nil
		}
	}
	return c, s, &store.Error{Code: store.NotFound, Op: "find secret"}
}

// secret is GET /console/applications/{id}/secrets/{secret}.
func (p *Pages) secret(v *shell.Visit) error {
	c, s, err := p.findSecret(v)
	if err != nil {
		return err
	}
	return p.showSecret(v, http.StatusOK, c, s, shell.NewForm(url.Values{"name": {s.Name}}, time.Time{}), "")
}

func (p *Pages) showSecret(v *shell.Visit, status int, c store.Client, s store.ClientSecret, form shell.Form, wrong string) error {
	return v.Show(status, p.set, "secret", &secretView{p.frame(v, c, tabSecrets), form, p.rowOf(c, s), wrong})
}

// renameSecret is POST /console/applications/{id}/secrets/{secret}.
func (p *Pages) renameSecret(v *shell.Visit) error {
	c, s, err := p.findSecret(v)
	if err != nil {
		return err
	}
	_, err = p.admin.RenameSecret(v.R.Context(), v.By, c.ID, admin.SecretName(s), v.Got("name"))
	if form := v.Typed(); form.Take(v, err) {
		return p.showSecret(v, http.StatusUnprocessableEntity, c, s, form, "")
	}
	if err != nil {
		return err
	}
	return v.Done(pathOf(c.ID)+"/secrets", v.T("Renamed to %s.", v.Got("name")))
}

// deleteSecret is POST /console/applications/{id}/secrets/{secret}/delete.
func (p *Pages) deleteSecret(v *shell.Visit) error {
	c, s, err := p.findSecret(v)
	if err != nil {
		return err
	}
	name := admin.SecretName(s)
	if !v.Confirmed(name) {
		form := shell.NewForm(url.Values{"name": {s.Name}}, time.Time{})
		return p.showSecret(v, http.StatusUnprocessableEntity, c, s, form, v.T("That is not its name. Nothing was deleted."))
	}
	if err := p.admin.RemoveSecret(v.R.Context(), v.By, c.ID, name); err != nil {
		return err
	}
	return v.Done(pathOf(c.ID)+"/secrets", v.T("Deleted %s.", name))
}
