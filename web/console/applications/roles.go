package applications

import (
	"net/http"
	"net/url"
	"slices"

	"idp/store"
	"idp/web/console/shell"
)

// maxRoles is how many roles of machines are offered.
const maxRoles = 200

type rolesView struct {
	frame
	shell.Form
	Roles []roleRow
}

type roleRow struct{ ID, Name, Description string }

// machine finds an application that has roles of its own.
func (p *Pages) machine(v *shell.Visit) (store.Client, error) {
	c, err := p.of(v)
	if err == nil && c.Type != store.Machine {
		err = &store.Error{Code: store.NotFound, Op: "find roles"}
	}
	return c, err
}

// roles is GET /console/applications/{id}/roles.
func (p *Pages) roles(v *shell.Visit) error {
	c, err := p.machine(v)
	if err != nil {
		return err
	}
	has, err := p.rolesOf(v, c)
	if err != nil {
		return err
	}
	return p.showRoles(v, http.StatusOK, c, shell.NewForm(url.Values{"role": has}, c.UpdatedAt))
}

func (p *Pages) rolesOf(v *shell.Visit, c store.Client) (ids []string, err error) {
	roles, _, err := p.admin.ClientRoles(v.R.Context(), c.ID, store.Listing{Limit: store.MaxCount})
	for _, r := range roles {
		ids = append(ids, r.ID)
	}
	return ids, err
}

// offered are the roles that a machine can have.
func (p *Pages) offered(v *shell.Visit) ([]store.Role, error) {
	all, _, err := p.admin.Roles(v.R.Context(), store.RoleListing{Listing: store.Listing{Limit: maxRoles}, Type: store.MachineRole})
	return all, err
}

// named are roles by their names, as people tell them apart.
func named(all []store.Role, ids []string) url.Values {
	var names []string
	for _, r := range all {
		if slices.Contains(ids, r.ID) {
			names = append(names, r.Name)
		}
	}
	return url.Values{"role": names}
}

func (p *Pages) showRoles(v *shell.Visit, status int, c store.Client, form shell.Form) error {
	all, err := p.offered(v)
	if err != nil {
		return err
	}
	view := rolesView{frame: p.frame(v, c, tabRoles), Form: form}
	for _, r := range all {
		view.Roles = append(view.Roles, roleRow{r.ID, r.Name, r.Description})
	}
	return v.Show(status, p.set, "roles", &view)
}

// saveRoles is POST /console/applications/{id}/roles. Roles that the page did not show stay.
func (p *Pages) saveRoles(v *shell.Visit) error {
	c, err := p.machine(v)
	if err != nil {
		return err
	}
	form := v.Typed()
	has, err := p.rolesOf(v, c)
	if err != nil {
		return err
	}
	all, err := p.offered(v)
	if err != nil {
		return err
	}
	roles := slices.Clone(v.Form["role"])
	for _, id := range has {
		if !slices.ContainsFunc(all, func(r store.Role) bool { return r.ID == id }) {
			roles = append(roles, id)
		}
	}
	slices.Sort(roles)
	roles = slices.Compact(roles)
	err = p.admin.SetClientRoles(v.R.Context(), v.By, c.ID, roles, form.Seen())
	switch {
	case err == nil:
		return v.Done(pathOf(c.ID)+"/roles", v.T("Saved."))
	case store.CodeOf(err) == store.Changed:
		if c, err = p.machine(v); err != nil {
			return err
		}
		shown := form // in names
		shown.Values = named(all, v.Form["role"])
		shown.Changed(named(all, has), c.UpdatedAt, [2]string{"role", v.T("Roles")})
		form.Stale, form.Version, form.Conflict = shown.Stale, shown.Version, shown.Conflict
		return p.showRoles(v, http.StatusConflict, c, form)
	case store.CodeOf(err) == store.Invalid:
		form.Wrong = v.T("One of the roles is gone meanwhile. Look through those that are here, and save again.")
		return p.showRoles(v, http.StatusUnprocessableEntity, c, form)
	case form.Take(v, err):
		return p.showRoles(v, http.StatusUnprocessableEntity, c, form)
	}
	return err
}
