package settings

import (
	"embed"

	"github.com/go-chi/chi/v5"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

//go:embed pages/*.html
var files embed.FS

// Instance is what the server was started with.
type Instance struct {
	Version  string
	Database string   // "SQLite" or "Postgres"
	InForce  []Limits // by what they are about
}

// Limits are settings of one group: "otp", "limit" or "ttl".
type Limits struct {
	Group  string
	Values []Value
}

// Value is one setting.
type Value struct {
	Variable string // of the environment: IDP_OTP_DIGITS
	Text     string
}

// Pages is the area.
type Pages struct {
	shell    *shell.Shell
	admin    *admin.Service
	set      *shell.Set
	instance Instance
}

// New makes the area.
func New(s *shell.Shell, a *admin.Service, i Instance) *Pages {
	return &Pages{s, a, s.Load(files), i}
}

// root is where the area is.
const root = shell.Path + string(shell.Settings)

// Mount adds the routes below /console.
func (p *Pages) Mount(r chi.Router) {
	p.shell.Get(r, "/settings", p.list)
	p.shell.Post(r, "/settings/sign-out-everywhere", store.RoleViewer, p.leave)
	p.shell.GetAs(r, "/settings/people/new", store.RoleOwner, p.newOne)
	p.shell.Post(r, "/settings/people/new", store.RoleOwner, p.add)
	p.shell.Get(r, "/settings/people/{email}", p.show)
	p.shell.Post(r, "/settings/people/{email}", store.RoleOwner, p.save)
	p.shell.Post(r, "/settings/people/{email}/remove", store.RoleOwner, p.remove)
	p.shell.Get(r, "/settings/test-addresses", p.tests)
	p.shell.GetAs(r, "/settings/test-addresses/new", store.RoleOwner, p.newTest)
	p.shell.Post(r, "/settings/test-addresses/new", store.RoleOwner, p.addTest)
	p.shell.Get(r, "/settings/test-addresses/{email}", p.showTest)
	p.shell.Post(r, "/settings/test-addresses/{email}/remove", store.RoleOwner, p.removeTest)
	p.shell.Get(r, "/settings/limits", p.limits)
	p.shell.Get(r, "/settings/instance", p.about)
}

func tabs(v *shell.Visit, current string) []shell.Tab {
	all := []shell.Tab{{Name: v.T("People with access"), Href: root}, {Name: v.T("Test addresses"), Href: testsPath}, {Name: v.T("Limits"), Href: root + "/limits"}, {Name: v.T("This instance"), Href: root + "/instance"}}
	for i := range all {
		all[i].Current = all[i].Href == current
	}
	return all
}
