package users

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"idp/store"
	"idp/web/console/shell"
	"idp/web/page"
)

type accessView struct {
	shell.Frame
	shell.Form
	head
	Days    []shell.Option
	Link    string // shown this once
	Secret  string // the token in it
	Until   time.Time
	Confirm string // what is wrong with the address that was typed to delete the account
}

// days are how long a sign-in link can work.
var days = []int{1, 7, 30}

// access is GET /console/users/ID/access.
func (p *Pages) access(v *shell.Visit) error {
	u, err := p.of(v)
	if err != nil {
		return err
	}
	return p.showAccess(v, http.StatusOK, accessView{head: headOf(v, u, "/access"), Form: p.accessForm(u)})
}

func (p *Pages) accessForm(u store.User) shell.Form {
	return shell.NewForm(url.Values{"days": {"1"}}, u.UpdatedAt)
}

func (p *Pages) showAccess(v *shell.Visit, status int, view accessView) error {
	view.Frame = v.Frame(shell.Users)
	for _, n := range days {
		name := v.T("%d days", n)
		if n == 1 {
			name = v.T("One day")
		}
		view.Days = append(view.Days, shell.Option{Value: strconv.Itoa(n), Name: name})
	}
	return v.Show(status, p.set, "access", &view)
}

// link is POST /console/users/ID/link. The link is in the answer, and nowhere else.
func (p *Pages) link(v *shell.Visit) error {
	u, err := p.of(v)
	if err != nil {
		return err
	}
	f := v.Typed()
	n, err := strconv.Atoi(v.Got("days"))
	if err != nil || !slices.Contains(days, n) {
		f.Reject("days", v.T("Choose one of these."))
		return p.showAccess(v, f.Status(), accessView{head: headOf(v, u, "/access"), Form: f})
	}
	err = v.Once(func() (string, error) {
		made, token, err := p.admin.CreateOneTimeToken(v.R.Context(), v.By, u.Email, store.TokenContext{}, time.Duration(n)*24*time.Hour)
		if err != nil {
			return "", err
		}
		view := accessView{head: headOf(v, u, "/access"), Form: p.accessForm(u), Secret: token, Until: made.ExpiresAt}
		view.Link = p.shell.Endpoint.JoinPath("/sign-in").String() + "?" + url.Values{"one_time_token": {token}, "login_hint": {page.Address(u.Email)}}.Encode()
		return path(u.ID, "/access"), p.showAccess(v, http.StatusCreated, view)
	})
	if err != nil && f.Take(v, err, map[string]string{"expiresIn": "days"}) {
		return p.showAccess(v, f.Status(), accessView{head: headOf(v, u, "/access"), Form: f})
	}
	return err
}

// suspend is POST /console/users/ID/suspend.
func (p *Pages) suspend(v *shell.Visit) error {
	return p.setSuspended(v, true, v.T("Suspended: signed out everywhere, and codes let them in no more."))
}

// reinstate is POST /console/users/ID/reinstate.
func (p *Pages) reinstate(v *shell.Visit) error {
	return p.setSuspended(v, false, v.T("Reinstated: they can sign in again."))
}

func (p *Pages) setSuspended(v *shell.Visit, suspend bool, notice string) error {
	u, err := p.of(v)
	if err != nil {
		return err
	}
	if _, err := p.admin.SuspendUser(v.R.Context(), v.By, u.ID, time.Time{}, suspend); err != nil {
		return p.refused(v, u, err)
	}
	return v.Done(path(u.ID, "/access"), notice)
}

// remove is POST /console/users/ID/delete.
func (p *Pages) remove(v *shell.Visit) error {
	u, err := p.of(v)
	if err != nil {
		return err
	}
	if !v.Confirmed(page.Address(u.Email)) {
		return p.showAccess(v, http.StatusUnprocessableEntity, accessView{
			head: headOf(v, u, "/access"), Form: p.accessForm(u), Confirm: v.T("That is not their address: nothing was deleted."),
		})
	}
	if err := p.admin.DeleteUser(v.R.Context(), v.By, u.ID, time.Time{}); err != nil {
		return p.refused(v, u, err)
	}
	return v.Done(root, v.T("Deleted %s.", page.Address(u.Email)))
}

// refused says above the page why something was not done.
func (p *Pages) refused(v *shell.Visit, u store.User, err error) error {
	f := p.accessForm(u)
	if !f.Take(v, err) {
		return err
	}
	return p.showAccess(v, http.StatusConflict, accessView{head: headOf(v, u, "/access"), Form: f})
}
