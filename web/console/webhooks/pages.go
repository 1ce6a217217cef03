package webhooks

import (
	"cmp"
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
	p.shell.Get(r, "/webhooks", p.list)
	p.shell.Get(r, "/webhooks/new", p.blank)
	p.shell.Post(r, "/webhooks/new", store.RoleAdmin, p.create)
	p.shell.Get(r, "/webhooks/{id}", p.show)
	p.shell.Post(r, "/webhooks/{id}", store.RoleAdmin, p.save)
	p.shell.Post(r, "/webhooks/{id}/enabled", store.RoleAdmin, p.turn)
	p.shell.Post(r, "/webhooks/{id}/key", store.RoleAdmin, p.rotate)
	p.shell.Post(r, "/webhooks/{id}/delete", store.RoleAdmin, p.remove)
	p.shell.Get(r, "/webhooks/{id}/test", p.test)
	p.shell.Post(r, "/webhooks/{id}/test", store.RoleAdmin, p.sendTest)
	p.shell.Get(r, "/webhooks/{id}/deliveries", p.deliveries)
	p.shell.Get(r, "/webhooks/{id}/deliveries/{delivery}", p.delivery)
}

// root is where the area is.
const root = shell.Path + string(shell.Webhooks)

// path is where a webhook is, and what is below it.
func path(id, rest string) string { return root + "/" + url.PathEscape(id) + rest }

// titleOf is what a webhook is called: its name, or the host that it posts to.
func titleOf(h admin.Hook) string {
	host := h.Config.URL
	if u, err := url.Parse(h.Config.URL); err == nil && u.Host != "" {
		host = u.Host
	}
	return cmp.Or(h.Name, host)
}

// How many of the newest deliveries tell how a webhook gets on.
const (
	looked  = 10_000 // where they are listed
	glanced = 500    // elsewhere, where it matters only whether it is failing
)

// head is what stands above each page of a webhook.
type head struct {
	Title, Path      string
	Enabled, Failing bool
	Standing         admin.HookStanding
	Tabs             []shell.Tab
}

// headOf makes the head of a webhook's page; current is the last part of its path. It looks
// at most deliveries.
func (p *Pages) headOf(v *shell.Visit, h admin.Hook, current string, most int) (head, error) {
	out := head{Title: titleOf(h), Path: path(h.ID, ""), Enabled: h.Enabled}
	for _, t := range []struct{ name, part string }{{v.T("Settings"), ""}, {v.T("Test"), "/test"}, {v.T("Deliveries"), "/deliveries"}} {
		out.Tabs = append(out.Tabs, shell.Tab{Name: t.name, Href: out.Path + t.part, Current: t.part == current})
	}
	var err error
	out.Standing, err = p.admin.HookStanding(v.R.Context(), h.ID, most)
	out.Failing = out.Enabled && out.Standing.Failing()
	return out, err
}
