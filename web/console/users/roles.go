package users

import (
	"net/http"
	"slices"

	"idp/store"
	"idp/web/console/shell"
)

// offered is how many roles can be chosen from.
const offered = 200

type rolesView struct {
	shell.Frame
	shell.Form
	head
	Has   []roleRow
	Gives []shell.Option
}

type roleRow struct{ ID, Name, Description, Path string }

// roles is GET /console/users/ID/roles.
func (p *Pages) roles(v *shell.Visit) error {
	u, err := p.of(v)
	if err != nil {
		return err
	}
	has, _, err := p.admin.UserRoles(v.R.Context(), u.ID, store.Listing{Limit: store.MaxCount})
	if err != nil {
		return err
	}
	all, _, err := p.admin.Roles(v.R.Context(), store.RoleListing{Listing: store.Listing{Limit: offered}, Type: store.UserRole})
	if err != nil {
		return err
	}
	view := rolesView{Frame: v.Frame(shell.Users), Form: v.Typed(), head: headOf(v, u, "/roles")}
	for _, r := range has {
		view.Has = append(view.Has, roleRow{r.ID, r.Name, r.Description, shell.Roles.At(r.ID)})
	}
	for _, r := range all {
		if !slices.ContainsFunc(has, func(h store.Role) bool { return h.ID == r.ID }) {
			view.Gives = append(view.Gives, shell.Option{Value: r.ID, Name: r.Name})
		}
	}
	return v.Show(http.StatusOK, p.set, "roles", &view)
}

// give is POST /console/users/ID/roles.
func (p *Pages) give(v *shell.Visit) error {
	id := v.Param("id")
	if err := p.admin.AddUserRoles(v.R.Context(), v.By, []string{id}, []string{v.Got("role")}); err != nil {
		return err
	}
	return v.Done(path(id, "/roles"), v.T("Given. New tokens have it from now on."))
}

// take is POST /console/users/ID/roles/remove.
func (p *Pages) take(v *shell.Visit) error {
	id := v.Param("id")
	err := p.admin.RemoveUserRole(v.R.Context(), v.By, id, v.Got("role"))
	if err != nil && store.CodeOf(err) != store.NotFound { // somebody else was faster, or a second click
		return err
	}
	return v.Done(path(id, "/roles"), v.T("Taken away. Tokens that are out there keep it until they end."))
}
