package users

import (
	"cmp"
	"embed"
	"net/url"

	"github.com/go-chi/chi/v5"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
	"idp/web/page"
)

//go:embed pages/*.html
var files embed.FS

// Pages is the area.
type Pages struct {
	shell *shell.Shell
	admin *admin.Service
	set   *shell.Set
}

// New makes the area.
func New(s *shell.Shell, a *admin.Service) *Pages { return &Pages{s, a, s.Load(files)} }

// Mount adds the routes below /console.
func (p *Pages) Mount(r chi.Router) {
	p.shell.Get(r, "/users", p.list)
	p.shell.Get(r, "/users/new", p.blank)
	p.shell.Post(r, "/users/new", store.RoleAdmin, p.create)
	p.shell.Get(r, "/users/{id}", p.show)
	p.shell.Post(r, "/users/{id}", store.RoleAdmin, p.save)
	p.shell.Get(r, "/users/{id}/data", p.data)
	p.shell.Post(r, "/users/{id}/data", store.RoleAdmin, p.saveData)
	p.shell.Get(r, "/users/{id}/roles", p.roles)
	p.shell.Post(r, "/users/{id}/roles", store.RoleAdmin, p.give)
	p.shell.Post(r, "/users/{id}/roles/remove", store.RoleAdmin, p.take)
	p.shell.Get(r, "/users/{id}/sessions", p.sessions)
	p.shell.Post(r, "/users/{id}/sessions/end", store.RoleAdmin, p.end)
	p.shell.Post(r, "/users/{id}/sessions/end-all", store.RoleAdmin, p.endAll)
	p.shell.Post(r, "/users/{id}/grants/revoke", store.RoleAdmin, p.revoke)
	p.shell.Get(r, "/users/{id}/activity", p.activity)
	p.shell.Get(r, "/users/{id}/access", p.access)
	p.shell.Post(r, "/users/{id}/link", store.RoleAdmin, p.link)
	p.shell.Post(r, "/users/{id}/suspend", store.RoleAdmin, p.suspend)
	p.shell.Post(r, "/users/{id}/reinstate", store.RoleAdmin, p.reinstate)
	p.shell.Post(r, "/users/{id}/delete", store.RoleAdmin, p.remove)
}

// root is where the area is.
const root = shell.Path + string(shell.Users)

// path is where a person is, and what is below it.
func path(id, rest string) string { return root + "/" + url.PathEscape(id) + rest }

// head is what stands above each page of a person.
type head struct {
	Of        store.User
	Name      string // what they are called: their name, or their address
	Address   string
	Path, Why string
	Suspended bool
	Tabs      []shell.Tab
}

// headOf makes the head of a person's page; current is the last part of its path.
func headOf(v *shell.Visit, u store.User, current string) head {
	address := page.Address(u.Email)
	h := head{Of: u, Name: cmp.Or(u.Name, address), Address: address, Path: path(u.ID, ""), Suspended: !u.SuspendedAt.IsZero()}
	h.Why = shell.Path + string(shell.Why) + "?" + url.Values{"email": {string(u.Email)}}.Encode()
	for _, t := range []struct{ name, part string }{
		{v.T("Profile"), ""}, {v.T("Roles"), "/roles"}, {v.T("Custom data"), "/data"}, {v.T("Sessions and apps"), "/sessions"},
		{v.T("Activity"), "/activity"}, {v.T("Access"), "/access"},
	} {
		h.Tabs = append(h.Tabs, shell.Tab{Name: t.name, Href: h.Path + t.part, Current: t.part == current})
	}
	return h
}

// of finds the person that a path names.
func (p *Pages) of(v *shell.Visit) (store.User, error) {
	return p.admin.User(v.R.Context(), v.Param("id"))
}
