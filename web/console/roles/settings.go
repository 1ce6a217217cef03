package roles

import (
	"net/http"
	"net/url"
	"time"

	"idp/store"
	"idp/web/console/shell"
)

type settingsView struct {
	shell.Frame
	shell.Form
	head

	Confirm string // what is wrong with the name that was typed to delete it
}

// typed is what stands in the form of a role.
func typed(r store.Role) url.Values {
	values := url.Values{"name": {r.Name}, "description": {r.Description}}
	if r.Default {
		values.Set("default", "1")
	}
	return values
}

// show is GET /console/roles/ID.
func (p *Pages) show(v *shell.Visit) error {
	r, err := p.admin.Role(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	return p.showSettings(v, http.StatusOK, r, shell.NewForm(typed(r), r.UpdatedAt), "")
}

func (p *Pages) showSettings(v *shell.Visit, status int, r store.Role, f shell.Form, confirm string) error {
	return v.Show(status, p.set, "settings", settingsView{v.Frame(shell.Roles), f, headOf(v, r, ""), confirm})
}

// save is POST /console/roles/ID.
func (p *Pages) save(v *shell.Visit) error {
	id, f := v.Param("id"), v.Typed()
	_, err := p.admin.UpdateRole(v.R.Context(), v.By, id, f.Seen(), func(r *store.Role) {
		r.Name, r.Description, r.Default = v.Got("name"), v.Got("description"), v.Got("default") != ""
	})
	if err == nil {
		return v.Done(path(id, ""), v.T("Saved."))
	}
	now, gone := p.admin.Role(v.R.Context(), id)
	switch {
	case gone != nil:
		return gone
	case store.CodeOf(err) == store.Changed:
		f.Changed(typed(now), now.UpdatedAt, [2]string{"name", v.T("Name")}, [2]string{"description", v.T("Description")}, [2]string{"default", v.T("Given to everybody who registers")})
		f.Call("default", v.Ticks())
	case store.CodeOf(err) == store.Conflict:
		f.Reject("name", v.T("Another role has this name."))
	case !f.Take(v, err, map[string]string{"isDefault": "default"}):
		return err
	}
	return p.showSettings(v, f.Status(), now, f, "")
}

// remove is POST /console/roles/ID/delete.
func (p *Pages) remove(v *shell.Visit) error {
	r, err := p.admin.Role(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	f := shell.NewForm(typed(r), r.UpdatedAt)
	if !v.Confirmed(r.Name) {
		return p.showSettings(v, http.StatusUnprocessableEntity, r, f, v.T("That is not its name: nothing was deleted."))
	}
	err = p.admin.DeleteRole(v.R.Context(), v.By, r.ID, time.Time{})
	switch {
	case err == nil:
		return v.Done(root, v.T("Deleted %s.", r.Name))
	case store.CodeOf(err) == store.InUse && r.ID != store.ManagementRole:
		f.Wrong = v.T("Nothing was deleted: somebody still has this role. Take it away from them first.")
	case !f.Take(v, err):
		return err
	}
	return p.showSettings(v, http.StatusConflict, r, f, "")
}
