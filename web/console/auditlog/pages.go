package auditlog

import (
	"embed"

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

// root is where the area is.
const root = shell.Path + string(shell.AuditLog)

// Mount adds the routes below /console.
func (p *Pages) Mount(r chi.Router) {
	p.shell.Get(r, "/audit-log", p.list)
	p.shell.Post(r, "/audit-log/export", store.RoleAdmin, p.export)
	p.shell.Get(r, "/audit-log/verify", p.state)
	p.shell.Post(r, "/audit-log/verify", store.RoleAdmin, p.verify)
	p.shell.Get(r, "/audit-log/{id}", p.show)
}

// tabs are the two pages of the area.
func tabs(v *shell.Visit, verify bool) []shell.Tab {
	return []shell.Tab{
		{Name: v.T("Entries"), Href: root, Current: !verify},
		{Name: v.T("Is it whole?"), Href: root + "/verify", Current: verify},
	}
}
