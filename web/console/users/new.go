package users

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
}

// blank is GET /console/users/new; email is what may stand there already.
func (p *Pages) blank(v *shell.Visit) error {
	return p.askNew(v, http.StatusOK, shell.NewForm(url.Values{"primaryEmail": {v.Got("email")}}, time.Time{}))
}

func (p *Pages) askNew(v *shell.Visit, status int, f shell.Form) error {
	return v.Show(status, p.set, "new", &newView{v.Frame(shell.Users), f})
}

// create is POST /console/users/new.
func (p *Pages) create(v *shell.Visit) error {
	f := v.Typed()
	err := v.Once(func() (string, error) {
		u := store.User{Name: v.Got("name"), Username: v.Got("username")}
		var err error
		if u.Email, err = admin.ParseEmail("create user", "primaryEmail", v.Got("primaryEmail")); err != nil {
			return "", err
		}
		if u, err = p.admin.CreateUser(v.R.Context(), v.By, u); err != nil {
			return "", err
		}
		to := path(u.ID, "/access")
		return to, v.Done(to, v.T("The account is there. They can sign in with a code right away; a sign-in link saves them that."))
	})
	switch {
	case err == nil:
		return nil
	case !f.Take(v, err):
		return err
	}
	return p.askNew(v, f.Status(), f)
}
