package resources

import (
	"net/http"
	"net/url"

	"idp/store"
	"idp/web/console/shell"
)

const perPage = 20

type listView struct {
	shell.Frame
	Resources []row
	Pager     shell.Pager
}

type row struct {
	store.Resource
	Path    string
	Scopes  int
	BuiltIn bool
}

// list is GET /console/resources.
func (p *Pages) list(v *shell.Visit) error {
	n, l := v.Listing(perPage)
	found, total, err := p.admin.Resources(v.R.Context(), l)
	if err != nil {
		return err
	}
	counts, err := p.admin.ScopeCounts(v.R.Context())
	if err != nil {
		return err
	}
	view := listView{Frame: v.Frame(shell.Resources), Pager: v.Page(n, perPage, len(found), total)}
	for _, r := range found {
		view.Resources = append(view.Resources, row{r, path(r.ID), counts[r.ID], r.ID == store.ManagementResource})
	}
	return v.Show(http.StatusOK, p.set, "list", view)
}

type newView struct {
	shell.Frame
	shell.Form
}

// blank is GET /console/resources/new.
func (p *Pages) blank(v *shell.Visit) error {
	return p.askNew(v, http.StatusOK, shell.NewForm(url.Values{}, noVersion))
}

func (p *Pages) askNew(v *shell.Visit, status int, f shell.Form) error {
	return v.Show(status, p.set, "new", newView{v.Frame(shell.Resources), f})
}

// create is POST /console/resources/new.
func (p *Pages) create(v *shell.Visit) error {
	f := v.Typed()
	err := v.Once(func() (string, error) {
		r, err := p.admin.CreateResource(v.R.Context(), v.By, store.Resource{Name: v.Got("name"), Indicator: v.Got("indicator")})
		if err != nil {
			return "", err
		}
		to := path(r.ID, "scopes")
		return to, v.Done(to, v.T("%s is there. Add what may be done at it.", r.Name))
	})
	switch {
	case store.CodeOf(err) == store.Conflict:
		f.Reject("indicator", v.T("Another API resource has this identifier."))
	case err != nil && !f.Take(v, err):
		return err
	case err == nil:
		return nil
	}
	return p.askNew(v, http.StatusUnprocessableEntity, f)
}
