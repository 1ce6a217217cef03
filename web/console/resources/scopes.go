package resources

import (
	"net/http"
	"net/url"
	"time"

	"idp/store"
	"idp/web/console/shell"
)

type scopesView struct {
	shell.Frame
	shell.Form
	head

	Scopes []scopeRow
	Pager  shell.Pager
}

type scopeRow struct {
	store.Scope
	Path string
}

// scopes is GET /console/resources/ID/scopes.
func (p *Pages) scopes(v *shell.Visit) error {
	return p.showScopes(v, http.StatusOK, shell.NewForm(url.Values{}, noVersion))
}

func (p *Pages) showScopes(v *shell.Visit, status int, f shell.Form) error {
	r, err := p.admin.Resource(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	n, l := v.Listing(perPage)
	found, total, err := p.admin.Scopes(v.R.Context(), r.ID, l)
	if err != nil {
		return err
	}
	view := scopesView{Frame: v.Frame(shell.Resources), Form: f, head: headOf(v, r, "scopes"), Pager: v.Page(n, perPage, len(found), total)}
	for _, c := range found {
		view.Scopes = append(view.Scopes, scopeRow{c, path(r.ID, "scopes", c.ID)})
	}
	return v.Show(status, p.set, "scopes", view)
}

// addScope is POST /console/resources/ID/scopes.
func (p *Pages) addScope(v *shell.Visit) error {
	f, id := v.Typed(), v.Param("id")
	err := v.Once(func() (string, error) {
		c, err := p.admin.CreateScope(v.R.Context(), v.By, store.Scope{Resource: id, Name: v.Got("name"), Description: v.Got("description")})
		if err != nil {
			return "", err
		}
		to := path(id, "scopes")
		return to, v.Done(to, v.T("Added %s.", c.Name))
	})
	switch {
	case err == nil:
		return nil
	case store.CodeOf(err) == store.Conflict:
		f.Reject("name", v.T("This API has a scope of this name already."))
	case !f.Take(v, err):
		return err
	}
	v.Form = url.Values{} // the list below is not what was typed
	return p.showScopes(v, http.StatusUnprocessableEntity, f)
}

type scopeView struct {
	shell.Frame
	shell.Form
	head

	Scope   store.Scope
	Here    string // path of this page
	Confirm string // what is wrong with the name that was typed to delete it
}

func typedScope(c store.Scope) url.Values {
	return url.Values{"name": {c.Name}, "description": {c.Description}}
}

// showScope is GET /console/resources/ID/scopes/SCOPE.
func (p *Pages) showScope(v *shell.Visit) error {
	c, err := p.admin.Scope(v.R.Context(), v.Param("id"), v.Param("scope"))
	if err != nil {
		return err
	}
	return p.showOne(v, http.StatusOK, c, shell.NewForm(typedScope(c), c.UpdatedAt), "")
}

func (p *Pages) showOne(v *shell.Visit, status int, c store.Scope, f shell.Form, confirm string) error {
	r, err := p.admin.Resource(v.R.Context(), c.Resource)
	if err != nil {
		return err
	}
	return v.Show(status, p.set, "scope", scopeView{v.Frame(shell.Resources), f, headOf(v, r, "scopes"), c, path(r.ID, "scopes", c.ID), confirm})
}

// saveScope is POST /console/resources/ID/scopes/SCOPE.
func (p *Pages) saveScope(v *shell.Visit) error {
	id, scope, f := v.Param("id"), v.Param("scope"), v.Typed()
	_, err := p.admin.UpdateScope(v.R.Context(), v.By, id, scope, f.Seen(), func(c *store.Scope) {
		c.Name, c.Description = v.Got("name"), v.Got("description")
	})
	if err == nil {
		return v.Done(path(id, "scopes"), v.T("Saved."))
	}
	now, gone := p.admin.Scope(v.R.Context(), id, scope)
	switch {
	case gone != nil:
		return gone
	case store.CodeOf(err) == store.Changed:
		f.Changed(typedScope(now), now.UpdatedAt, [2]string{"name", v.T("Name")}, [2]string{"description", v.T("Description")})
	case store.CodeOf(err) == store.Conflict:
		f.Reject("name", v.T("This API has a scope of this name already."))
	case !f.Take(v, err):
		return err
	}
	return p.showOne(v, f.Status(), now, f, "")
}

// removeScope is POST /console/resources/ID/scopes/SCOPE/delete.
func (p *Pages) removeScope(v *shell.Visit) error {
	c, err := p.admin.Scope(v.R.Context(), v.Param("id"), v.Param("scope"))
	if err != nil {
		return err
	}
	f := shell.NewForm(typedScope(c), c.UpdatedAt)
	if !v.Confirmed(c.Name) {
		return p.showOne(v, http.StatusUnprocessableEntity, c, f, v.T("That is not its name: nothing was deleted."))
	}
	err = p.admin.DeleteScope(v.R.Context(), v.By, c.Resource, c.ID, time.Time{})
	switch {
	case err == nil:
		return v.Done(path(c.Resource, "scopes"), v.T("Deleted %s.", c.Name))
	case !f.Take(v, err):
		return err
	}
	return p.showOne(v, http.StatusConflict, c, f, "")
}
