package roles

import (
	"net/http"
	"net/url"
	"time"

	"idp/store"
	"idp/web/console/shell"
)

const perPage = 20

// counted is how far holders are counted in the list.
const counted = 100

type listView struct {
	shell.Frame
	Roles []row
	Kinds []kind
	Pager shell.Pager
}

type row struct {
	store.Role
	Path              string
	Machines, BuiltIn bool
	Scopes, Holders   int
	More              bool // than Holders
}

// kind is a choice of the filter.
type kind struct {
	Name, Value string
	On          bool
}

// list is GET /console/roles.
func (p *Pages) list(v *shell.Visit) error {
	n, l := v.Listing(perPage)
	of := store.RoleType(v.Got("type"))
	if of != store.UserRole && of != store.MachineRole {
		of = ""
	}
	found, total, err := p.admin.Roles(v.R.Context(), store.RoleListing{Listing: l, Type: of})
	if err != nil {
		return err
	}
	view := listView{Frame: v.Frame(shell.Roles), Pager: v.Page(n, perPage, len(found), total)}
	for _, k := range []kind{{v.T("All"), "", false}, {v.T("For people"), string(store.UserRole), false}, {v.T("For programs"), string(store.MachineRole), false}} {
		k.On = k.Value == string(of)
		view.Kinds = append(view.Kinds, k)
	}
	for _, r := range found {
		tally, err := p.admin.RoleTally(v.R.Context(), r.ID, counted+1)
		if err != nil {
			return err
		}
		holders := tally.Users + tally.Clients
		view.Roles = append(view.Roles, row{r, path(r.ID, ""), r.Type == store.MachineRole, r.ID == store.ManagementRole, tally.Scopes, min(holders, counted), holders > counted})
	}
	return v.Show(http.StatusOK, p.set, "list", view)
}

type newView struct {
	shell.Frame
	shell.Form
	Types []shell.Option
}

// blank is GET /console/roles/new.
func (p *Pages) blank(v *shell.Visit) error {
	return p.askNew(v, http.StatusOK, shell.NewForm(url.Values{"type": {string(store.UserRole)}}, time.Time{}))
}

func (p *Pages) askNew(v *shell.Visit, status int, f shell.Form) error {
	return v.Show(status, p.set, "new", newView{v.Frame(shell.Roles), f, []shell.Option{
		{Value: string(store.UserRole), Name: v.T("Users"), Hint: v.T("What somebody may do once they have signed in.")},
		{Value: string(store.MachineRole), Name: v.T("Programs"), Hint: v.T("What a machine-to-machine application may do. The management API is for these only.")},
	}})
}

// create is POST /console/roles/new.
func (p *Pages) create(v *shell.Visit) error {
	f := v.Typed()
	err := v.Once(func() (string, error) {
		r := store.Role{Name: v.Got("name"), Description: v.Got("description"), Type: store.RoleType(v.Got("type")), Default: v.Got("default") != ""}
		r, err := p.admin.CreateRole(v.R.Context(), v.By, r, nil)
		if err != nil {
			return "", err
		}
		to := path(r.ID, "/scopes")
		return to, v.Done(to, v.T("%s is there. Choose what it lets somebody do.", r.Name))
	})
	switch {
	case err == nil:
		return nil
	case store.CodeOf(err) == store.Conflict:
		f.Reject("name", v.T("Another role has this name."))
	case !f.Take(v, err, map[string]string{"isDefault": "default"}):
		return err
	}
	return p.askNew(v, f.Status(), f)
}
