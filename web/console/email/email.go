package email

import (
	"embed"

	"github.com/go-chi/chi/v5"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
	"idp/web/locales"
)

//go:embed pages/*.html
var files embed.FS

// Pages is the area. Its methods are safe for concurrent use.
type Pages struct {
	shell     *shell.Shell
	admin     *admin.Service
	set       *shell.Set
	languages *locales.Set
}

// New makes the area.
func New(s *shell.Shell, a *admin.Service) *Pages {
	return &Pages{s, a, s.Load(files), locales.Load()}
}

// Addresses of pages.
const (
	here          = shell.Path + "/email"
	allConnectors = here + "/connectors"
	allTemplates  = here + "/templates"
)

// Mount adds the routes.
func (p *Pages) Mount(r chi.Router) {
	p.shell.Get(r, "/email", p.connectors)
	p.shell.Post(r, "/email/order", store.RoleOwner, p.order)
	p.shell.Get(r, "/email/connectors", p.kinds)
	p.shell.Get(r, "/email/connectors/{id}", p.connector)
	p.shell.Post(r, "/email/connectors/{id}", store.RoleOwner, p.changeConnector)
	p.shell.Post(r, "/email/connectors/{id}/delete", store.RoleOwner, p.deleteConnector)
	p.shell.Get(r, "/email/templates", p.templates)
	p.shell.Get(r, "/email/templates/json", p.templatesJSON)
	p.shell.Post(r, "/email/templates/json", store.RoleOwner, p.saveJSON)
	p.shell.Get(r, "/email/templates/{usage}/{locale}", p.template)
	p.shell.Post(r, "/email/templates/{usage}/{locale}", store.RoleOwner, p.changeTemplate)
	p.shell.Get(r, "/email/templates/{usage}/{locale}/preview", p.preview)
	p.shell.Post(r, "/email/templates/{usage}/{locale}/preview", store.RoleOwner, p.previewDraft)
	p.shell.Post(r, "/email/templates/{usage}/{locale}/reset", store.RoleOwner, p.resetTemplate)
}

func tabs(v *shell.Visit, templates bool) []shell.Tab {
	return []shell.Tab{
		{Name: v.T("Connectors"), Href: here, Current: !templates},
		{Name: v.T("Templates"), Href: allTemplates, Current: templates},
	}
}
