package roles

import (
	"net/http"
	"strings"

	"idp/store"
	"idp/web/console/shell"
	"idp/web/page"
)

// candidates is how many are offered to be given a role.
const candidates = 10

type holdersView struct {
	shell.Frame
	head

	Holders []holder
	Pager   shell.Pager
	Find    string
	Found   []holder
	Missed  bool // something was searched, and not found
	Unclear string
}

// holder is who has a role, or could.
type holder struct {
	ID, Name, Detail, Path string
	Has, Suspended         bool
}

// holders is GET /console/roles/ID/holders.
func (p *Pages) holders(v *shell.Visit) error {
	r, err := p.admin.Role(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	n, l := v.Listing(perPage)
	l.Search = ""
	view := holdersView{Frame: v.Frame(shell.Roles), head: headOf(v, r, "/holders"), Find: v.Got("find")}
	// The management API's role stays as it is, but who has it does not.
	view.Editable = v.May(store.RoleAdmin)
	list, search := p.people, p.findPeople
	if view.Machines {
		list, search = p.programs, p.findPrograms
	}
	total := 0
	if view.Holders, total, err = list(v, r.ID, l); err != nil {
		return err
	}
	view.Pager = v.Page(n, perPage, len(view.Holders), total)
	if view.Editable && (view.Find != "" || view.Machines) {
		view.Found, err = search(v, r.ID, view.Find)
		if store.CodeOf(err) == store.Invalid {
			view.Unclear, err = v.T("Type how the address, the user name or the name begins."), nil
		}
		view.Missed = view.Find != "" && len(view.Found) == 0 && view.Unclear == ""
	}
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, p.set, "holders", view)
}

func personOf(u store.User) holder {
	h := holder{ID: u.ID, Name: page.Address(u.Email), Detail: u.Name, Path: shell.Users.At(u.ID), Suspended: !u.SuspendedAt.IsZero()}
	if h.Name == "" {
		h.Name = u.ID
	}
	return h
}

func (p *Pages) people(v *shell.Visit, role string, l store.Listing) ([]holder, int, error) {
	found, total, err := p.admin.RolePeople(v.R.Context(), role, l)
	out := make([]holder, len(found))
	for i, u := range found {
		out[i] = personOf(u)
	}
	return out, total, err
}

// findPeople finds people by how their address, user name or name begins, which an index
// answers however many there are.
func (p *Pages) findPeople(v *shell.Visit, role, text string) ([]holder, error) {
	found, err := p.admin.Users(v.R.Context(), store.UserQuery{Terms: []store.UserTerm{{Pattern: strings.TrimRight(text, "%") + "%"}}, Limit: candidates})
	if err != nil {
		return nil, err
	}
	out := make([]holder, len(found.Users))
	for i, u := range found.Users {
		out[i] = personOf(u)
		has, _, err := p.admin.UserRoles(v.R.Context(), u.ID, store.Listing{Limit: store.MaxCount})
		if err != nil && store.CodeOf(err) != store.NotFound {
			return nil, err
		}
		for _, r := range has {
			out[i].Has = out[i].Has || r.ID == role
		}
	}
	return out, nil
}

func programOf(c store.Client) holder {
	return holder{ID: c.ID, Name: c.Name, Detail: c.ID, Path: shell.Applications.At(c.ID)}
}

func (p *Pages) programs(v *shell.Visit, role string, l store.Listing) ([]holder, int, error) {
	found, total, err := p.admin.RoleClients(v.R.Context(), role, l)
	out := make([]holder, len(found))
	for i, c := range found {
		out[i] = programOf(c)
	}
	return out, total, err
}

func (p *Pages) findPrograms(v *shell.Visit, role, text string) ([]holder, error) {
	l := store.Listing{Search: text, Limit: candidates}
	found, _, err := p.admin.Clients(v.R.Context(), store.ClientListing{Listing: l, Types: []store.ClientType{store.Machine}, NotRole: role})
	out := make([]holder, len(found))
	for i, c := range found {
		out[i] = programOf(c)
	}
	return out, err
}

// give is POST /console/roles/ID/holders.
func (p *Pages) give(v *shell.Visit) error {
	r, err := p.admin.Role(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	to, what := []string{v.Got("holder")}, []string{r.ID}
	if r.Type == store.MachineRole {
		err = p.admin.AddClientRoles(v.R.Context(), v.By, to, what)
	} else {
		err = p.admin.AddUserRoles(v.R.Context(), v.By, to, what)
	}
	return p.changed(v, r, err, v.T("Given. New tokens have it from now on."))
}

// take is POST /console/roles/ID/holders/remove.
func (p *Pages) take(v *shell.Visit) error {
	r, err := p.admin.Role(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	if r.Type == store.MachineRole {
		err = p.admin.RemoveClientRole(v.R.Context(), v.By, v.Got("holder"), r.ID)
	} else {
		err = p.admin.RemoveUserRole(v.R.Context(), v.By, v.Got("holder"), r.ID)
	}
	if store.CodeOf(err) == store.NotFound {
		err = nil // somebody else was faster, or a second click
	}
	return p.changed(v, r, err, v.T("Taken away. Tokens that are out there keep it until they end."))
}

// changed goes back to the holders after a change, or says why there was none.
func (p *Pages) changed(v *shell.Visit, r store.Role, err error, notice string) error {
	if store.CodeOf(err) == store.Forbidden {
		return &store.Error{Code: store.Forbidden, Op: "give role", Err: textError(tooStrong(v))}
	}
	if err != nil {
		return err
	}
	return v.Done(path(r.ID, "/holders"), notice)
}

// textError is a reason in the person's language.
type textError string

func (e textError) Error() string { return string(e) }
