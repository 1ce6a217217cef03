package deliveries

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

// root is where the area is, suppressed its other page.
const (
	root       = shell.Path + string(shell.Deliveries)
	suppressed = root + "/suppressed"
)

// Mount adds the routes below /console.
func (p *Pages) Mount(r chi.Router) {
	p.shell.Get(r, "/deliveries", p.list)
	p.shell.Get(r, "/deliveries/suppressed", p.suppressions)
	p.shell.Post(r, "/deliveries/suppressed", store.RoleAdmin, p.suppress)
	p.shell.Post(r, "/deliveries/suppressed/lift", store.RoleAdmin, p.lift)
	p.shell.Get(r, "/deliveries/{id}", p.show)
}

func tabs(v *shell.Visit, other bool) []shell.Tab {
	return []shell.Tab{
		{Name: v.T("Mails"), Href: root, Current: !other},
		{Name: v.T("Addresses that take no mail"), Href: suppressed, Current: other},
	}
}

func pathOf(id string) string { return root + "/" + url.PathEscape(id) }
