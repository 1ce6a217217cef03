package applications

import (
	"net/http"
	"slices"

	"idp/store"
	"idp/web/console/shell"
)

const pageSize = 25

type listView struct {
	shell.Frame
	shell.Form
	Pager shell.Pager
	Types []shell.Option
	Apps  []row
}

// row is an application in the list.
type row struct {
	store.Client
	Href, Kind string
}

// list is GET /console/applications.
func (p *Pages) list(v *shell.Visit) error {
	n, part := v.Listing(pageSize)
	l := store.ClientListing{Listing: part}
	if t := store.ClientType(v.Form.Get("type")); slices.Contains(types, t) {
		l.Types = []store.ClientType{t}
	}
	found, total, err := p.admin.Clients(v.R.Context(), l)
	if err != nil {
		return err
	}
	view := listView{Frame: v.Frame(shell.Applications), Form: v.Typed(), Pager: v.Page(n, pageSize, len(found), total), Types: kindOptions(v)}
	for _, c := range found {
		view.Apps = append(view.Apps, row{c, pathOf(c.ID), v.T(kinds[c.Type])})
	}
	return v.Show(http.StatusOK, p.set, "list", &view)
}
