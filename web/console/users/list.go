package users

import (
	"net/http"
	"strings"
	"time"

	"idp/store"
	"idp/web/console/shell"
	"idp/web/page"
)

const perPage = 25

type listView struct {
	shell.Frame
	Users   []row
	Pager   shell.Pager
	Unclear string // why nothing was searched
}

// row is a person in the list.
type row struct {
	Address, Name, Username, Path string
	CreatedAt, SignedIn           time.Time
	Suspended                     bool
}

// list is GET /console/users. A search is of how addresses, user names, names and ids begin,
// which indexes answer however many people there are.
func (p *Pages) list(v *shell.Visit) error {
	n, l := v.Listing(perPage)
	q := store.UserQuery{Offset: l.Skip, Limit: l.Limit}
	if l.Search != "" {
		q.Terms = []store.UserTerm{{Pattern: strings.TrimRight(l.Search, "%") + "%"}}
	}
	view := listView{Frame: v.Frame(shell.Users)}
	found, err := p.admin.Users(v.R.Context(), q)
	if l.Search != "" && store.CodeOf(err) == store.Invalid {
		view.Unclear, err = v.T("Type how the address, the user name, the name or the ID begins."), nil
	}
	if err != nil {
		return err
	}
	view.Pager = v.Page(n, perPage, len(found.Users), found.Total)
	for _, u := range found.Users {
		view.Users = append(view.Users, row{page.Address(u.Email), u.Name, u.Username, path(u.ID, ""), u.CreatedAt, u.SignedIn, !u.SuspendedAt.IsZero()})
	}
	return v.Show(http.StatusOK, p.set, "list", &view)
}
