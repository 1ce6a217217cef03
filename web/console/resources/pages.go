package resources

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
	p.shell.Get(r, "/resources", p.list)
	p.shell.Get(r, "/resources/new", p.blank)
	p.shell.Post(r, "/resources/new", store.RoleAdmin, p.create)
	p.shell.Get(r, "/resources/{id}", p.show)
	p.shell.Post(r, "/resources/{id}", store.RoleAdmin, p.save)
	p.shell.Post(r, "/resources/{id}/delete", store.RoleAdmin, p.remove)
	p.shell.Get(r, "/resources/{id}/scopes", p.scopes)
	p.shell.Post(r, "/resources/{id}/scopes", store.RoleAdmin, p.addScope)
	p.shell.Get(r, "/resources/{id}/scopes/{scope}", p.showScope)
	p.shell.Post(r, "/resources/{id}/scopes/{scope}", store.RoleAdmin, p.saveScope)
	p.shell.Post(r, "/resources/{id}/scopes/{scope}/delete", store.RoleAdmin, p.removeScope)
	p.shell.Get(r, "/resources/{id}/use", p.use)
}

// root is where the area is.
const root = shell.Path + string(shell.Resources)

// path is where a resource is, and what is below it.
func path(id string, rest ...string) string {
	out := root + "/" + url.PathEscape(id)
	for _, part := range rest {
		out += "/" + url.PathEscape(part)
	}
	return out
}

// head is what stands above each page of a resource.
type head struct {
	Resource store.Resource
	Path     string
	BuiltIn  bool // the management API's
	Editable bool // by who is there
	Tabs     []shell.Tab
}

// headOf makes the head of a resource's page; current is the last part of its path.
func headOf(v *shell.Visit, r store.Resource, current string) head {
	h := head{Resource: r, Path: path(r.ID), BuiltIn: r.ID == store.ManagementResource}
	h.Editable = !h.BuiltIn && v.May(store.RoleAdmin)
	for _, t := range []struct{ name, part string }{{v.T("Settings"), ""}, {v.T("Scopes"), "scopes"}, {v.T("How to use it"), "use"}} {
		href := h.Path
		if t.part != "" {
			href += "/" + t.part
		}
		h.Tabs = append(h.Tabs, shell.Tab{Name: t.name, Href: href, Current: t.part == current})
	}
	return h
}
