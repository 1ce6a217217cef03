package roles

import (
	"embed"
	"net/url"

	"github.com/go-chi/chi/v5"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
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
	p.shell.Get(r, "/roles", p.list)
	p.shell.Get(r, "/roles/new", p.blank)
	p.shell.Post(r, "/roles/new", store.RoleAdmin, p.create)
	p.shell.Get(r, "/roles/{id}", p.show)
	p.shell.Post(r, "/roles/{id}", store.RoleAdmin, p.save)
	p.shell.Post(r, "/roles/{id}/delete", store.RoleAdmin, p.remove)
	p.shell.Get(r, "/roles/{id}/scopes", p.scopes)
	p.shell.Post(r, "/roles/{id}/scopes", store.RoleAdmin, p.saveScopes)
	p.shell.Get(r, "/roles/{id}/holders", p.holders)
	p.shell.Post(r, "/roles/{id}/holders", store.RoleAdmin, p.give)
	p.shell.Post(r, "/roles/{id}/holders/remove", store.RoleAdmin, p.take)
}

// root is where the area is.
const root = shell.Path + string(shell.Roles)

// path is where a role is, and what is below it.
func path(id, rest string) string { return root + "/" + url.PathEscape(id) + rest }

// head is what stands above each page of a role.
type head struct {
	Of       store.Role
	Path     string
	Machines bool // it is for programs
	BuiltIn  bool // the management API's
	Editable bool // by who is there
	Tabs     []shell.Tab
}

// headOf makes the head of a role's page; current is the last part of its path.
func headOf(v *shell.Visit, r store.Role, current string) head {
	h := head{Of: r, Path: path(r.ID, ""), Machines: r.Type == store.MachineRole, BuiltIn: r.ID == store.ManagementRole}
	h.Editable = !h.BuiltIn && v.May(store.RoleAdmin)
	holders := v.T("Users")
	if h.Machines {
		holders = v.T("Programs")
	}
	for _, t := range []struct{ name, part string }{{v.T("Settings"), ""}, {v.T("Scopes"), "/scopes"}, {holders, "/holders"}} {
		h.Tabs = append(h.Tabs, shell.Tab{Name: t.name, Href: h.Path + t.part, Current: t.part == current})
	}
	return h
}

// tooStrong says that somebody has tried to give more than they have.
func tooStrong(v *shell.Visit) string {
	return v.T("This would give away more of the management API than your own role has. An owner can do it.")
}
