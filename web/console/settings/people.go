package settings

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"idp/store"
	"idp/web/console/shell"
	"idp/web/page"
)

// person is an operator as the pages tell of them.
type person struct {
	Email, Path        string
	Role               store.OperatorRole
	RoleName           string
	Since              time.Time
	User               string // path of the account; "" if there is none yet
	Suspended, Oneself bool
}

func (p *Pages) tell(v *shell.Visit, o store.Operator) person {
	out := person{
		Email: page.Address(o.Email), Path: pathOf(o.Email), Role: o.Role, RoleName: v.T(names[o.Role]), Since: o.CreatedAt,
		Suspended: !o.SuspendedAt.IsZero(), Oneself: o.Email == v.Session.User.Email,
	}
	if o.User != "" {
		out.User = shell.Users.At(o.User)
	}
	return out
}

func pathOf(email store.Email) string { return root + "/people/" + url.PathEscape(string(email)) }

var (
	names = map[store.OperatorRole]string{store.RoleOwner: shell.N("Owner"), store.RoleAdmin: shell.N("Admin"), store.RoleViewer: shell.N("Viewer")}
	may   = map[store.OperatorRole]string{
		store.RoleOwner:  shell.N("Everything: also who has access, the keys, and what sends the mails and how they are worded."),
		store.RoleAdmin:  shell.N("Applications, users, roles, webhooks and the sign-in pages."),
		store.RoleViewer: shell.N("Looks at everything that is no secret, and changes nothing."),
	}
)

// Roles are the choices of a form.
func roles(v *shell.Visit) []shell.Option {
	var out []shell.Option
	for _, r := range store.OperatorRoles {
		out = append(out, shell.Option{Value: string(r), Name: v.T(names[r]), Hint: v.T(may[r])})
	}
	return out
}

type listView struct {
	shell.Frame
	Tabs   []shell.Tab
	People []person
	Alone  bool // nobody but one person has access
}

// list is GET /console/settings. Those who have access are few: the page has all of them.
func (p *Pages) list(v *shell.Visit) error {
	all, err := p.admin.Operators(v.R.Context())
	if err != nil {
		return err
	}
	view := listView{Frame: v.Frame(shell.Settings), Tabs: tabs(v, root), Alone: len(all) == 1}
	for _, o := range all {
		view.People = append(view.People, p.tell(v, o))
	}
	return v.Show(http.StatusOK, p.set, "list", view)
}

// leave is POST /console/settings/sign-out-everywhere.
func (p *Pages) leave(v *shell.Visit) error {
	if err := p.admin.LeaveConsole(v.R.Context(), v.By, v.Session.User.ID); err != nil {
		return err
	}
	p.shell.Browser.ClearConsole(v.W)
	page.SeeOther(v.W, shell.Path)
	return nil
}

type newView struct {
	shell.Frame
	shell.Form
	Roles []shell.Option
}

// newOne is GET /console/settings/people/new.
func (p *Pages) newOne(v *shell.Visit) error {
	return p.showNew(v, http.StatusOK, shell.NewForm(url.Values{"role": {string(store.RoleAdmin)}}, time.Time{}))
}

func (p *Pages) showNew(v *shell.Visit, status int, f shell.Form) error {
	return v.Show(status, p.set, "new", newView{v.Frame(shell.Settings), f, roles(v)})
}

// add is POST /console/settings/people/new.
func (p *Pages) add(v *shell.Visit) error {
	f := v.Typed()
	if v.Got("email") == "" {
		f.Reject("email", v.T("Enter an address."))
		return p.showNew(v, http.StatusUnprocessableEntity, f)
	}
	var refused error
	err := v.Once(func() (string, error) {
		refused = p.admin.AddOperator(v.R.Context(), v.By, v.Got("email"), store.OperatorRole(v.Got("role")))
		if refused != nil {
			return "", refused
		}
		return root, v.Done(root, v.T("%s has access now, with a code sent to that address.", v.Got("email")))
	})
	switch {
	case refused == nil:
		return err
	case store.CodeOf(refused) == store.Conflict:
		f.Reject("email", v.T("This person has access already: open them in the list to change what they may do."))
	case !f.Take(v, refused):
		return refused
	}
	return p.showNew(v, http.StatusUnprocessableEntity, f)
}

// find reads the operator that an address of a page names.
func (p *Pages) find(v *shell.Visit) (store.Operator, error) {
	all, err := p.admin.Operators(v.R.Context())
	if err != nil {
		return store.Operator{}, err
	}
	i := slices.IndexFunc(all, func(o store.Operator) bool { return string(o.Email) == v.Param("email") })
	if i < 0 {
		return store.Operator{}, &store.Error{Code: store.NotFound, Op: "read operator"}
	}
	return all[i], nil
}

type personView struct {
	shell.Frame
	shell.Form
	Of      person
	May     string
	Roles   []shell.Option
	Confirm string // what is wrong with the name that was typed to remove them
}

// show is GET /console/settings/people/EMAIL.
func (p *Pages) show(v *shell.Visit) error {
	o, err := p.find(v)
	if err != nil {
		return err
	}
	return p.showPerson(v, http.StatusOK, o, formOf(o), "")
}

func formOf(o store.Operator) shell.Form {
	return shell.NewForm(url.Values{"role": {string(o.Role)}, "seen": {string(o.Role)}}, time.Time{})
}

func (p *Pages) showPerson(v *shell.Visit, status int, o store.Operator, f shell.Form, confirm string) error {
	return v.Show(status, p.set, "person", personView{v.Frame(shell.Settings), f, p.tell(v, o), v.T(may[o.Role]), roles(v), confirm})
}

// save is POST /console/settings/people/EMAIL. An operator has no version but the role, which
// is all that can be changed.
func (p *Pages) save(v *shell.Visit) error {
	o, err := p.find(v)
	if err != nil {
		return err
	}
	f := v.Typed()
	role, seen := store.OperatorRole(v.Got("role")), store.OperatorRole(v.Got("seen"))
	if seen != o.Role {
		f.Stale = true
		f.Values.Set("seen", string(o.Role))
		if role != o.Role {
			f.Conflict = []shell.Difference{{Label: v.T("Access"), Theirs: v.T(names[o.Role]), Yours: v.T(names[role])}}
		}
		return p.showPerson(v, http.StatusConflict, o, f, "")
	}
	err = p.admin.SetOperatorRole(v.R.Context(), v.By, string(o.Email), role)
	switch {
	case err == nil:
		return v.Done(pathOf(o.Email), v.T("Saved."))
	case store.CodeOf(err) == store.InUse:
		f.Reject("role", v.T("This is the last owner who can sign in: make somebody else an owner first."))
	case !f.Take(v, err):
		return err
	}
	return p.showPerson(v, http.StatusUnprocessableEntity, o, f, "")
}

// remove is POST /console/settings/people/EMAIL/remove.
func (p *Pages) remove(v *shell.Visit) error {
	o, err := p.find(v)
	if err != nil {
		return err
	}
	if !v.Confirmed(page.Address(o.Email)) && !v.Confirmed(string(o.Email)) {
		return p.showPerson(v, http.StatusUnprocessableEntity, o, formOf(o), v.T("That is not their address: nothing was changed."))
	}
	err = p.admin.RemoveOperator(v.R.Context(), v.By, string(o.Email))
	switch {
	case err == nil:
		return v.Done(root, v.T("%s has no access any more.", page.Address(o.Email)))
	case store.CodeOf(err) == store.InUse:
		return p.showPerson(v, http.StatusUnprocessableEntity, o, formOf(o), v.T("This is the last owner who can sign in: make somebody else an owner first."))
	}
	return err
}
