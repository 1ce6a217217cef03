package applications

import (
	"embed"
	"net/url"
	"strings"

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

// New makes it.
func New(s *shell.Shell, a *admin.Service) *Pages { return &Pages{s, a, s.Load(files)} }

const listPath = shell.Path + "/applications"

// Mount adds the routes.
func (p *Pages) Mount(r chi.Router) {
	const one = "/applications/{id}"
	get := func(path string, serve func(*shell.Visit) error) { p.shell.Get(r, path, serve) }
	post := func(path string, serve func(*shell.Visit) error) { p.shell.Post(r, path, store.RoleAdmin, serve) }
	get("/applications", p.list)
	get("/applications/new", p.new)
	post("/applications", p.create)
	get("/applications/check", p.check)
	get(one, p.settings)
	post(one, p.saveSettings)
	post(one+"/delete", p.delete)
	get(one+"/guide", p.guide)
	get(one+"/secrets", p.secrets)
	post(one+"/secrets", p.addSecret)
	get(one+"/secrets/{secret}", p.secret)
	post(one+"/secrets/{secret}", p.renameSecret)
	post(one+"/secrets/{secret}/delete", p.deleteSecret)
	get(one+"/branding", p.branding)
	post(one+"/branding", p.saveBranding)
	get(one+"/redirects", p.redirects)
	get(one+"/roles", p.roles)
	post(one+"/roles", p.saveRoles)
}

// frame is what the pages of one application have around them.
type frame struct {
	shell.Frame
	App  store.Client
	Kind string // its type, in words
	Tabs []shell.Tab
	Path string // of the application
}

// Names of the tabs.
var (
	tabSettings = shell.N("Settings")
	tabGuide    = shell.N("Code")
	tabSecrets  = shell.N("Secrets")
	tabBranding = shell.N("Branding")
	tabCheck    = shell.N("Redirect check")
	tabRoles    = shell.N("Roles")
)

// of finds the application of a visit.
func (p *Pages) of(v *shell.Visit) (store.Client, error) {
	return p.admin.Client(v.R.Context(), v.Param("id"))
}

// frame makes the frame of a tab.
func (p *Pages) frame(v *shell.Visit, c store.Client, current string) frame {
	f := frame{Frame: v.Frame(shell.Applications), App: c, Kind: v.T(kinds[c.Type]), Path: pathOf(c.ID)}
	add := func(name, path string) {
		f.Tabs = append(f.Tabs, shell.Tab{Name: v.T(name), Href: f.Path + path, Current: name == current})
	}
	add(tabSettings, "")
	add(tabGuide, "/guide")
	if c.Type.Confidential() {
		add(tabSecrets, "/secrets")
	}
	if c.Type == store.Machine {
		add(tabRoles, "/roles")
		return f
	}
	add(tabBranding, "/branding")
	add(tabCheck, "/redirects")
	return f
}

func pathOf(id string) string { return listPath + "/" + url.PathEscape(id) }

// kinds are the types in words.
var kinds = map[store.ClientType]string{
	store.Traditional: shell.N("Web app with a server"),
	store.SPA:         shell.N("Single-page app"),
	store.Native:      shell.N("Native app"),
	store.Machine:     shell.N("Machine to machine"),
}

// types are the types in the order in which they are offered.
var types = []store.ClientType{store.Traditional, store.SPA, store.Native, store.Machine}

func kindOptions(v *shell.Visit) []shell.Option {
	options := []shell.Option{{Value: "", Name: v.T("All types")}}
	for _, t := range types {
		options = append(options, shell.Option{Value: string(t), Name: v.T(kinds[t])})
	}
	return options
}

// lines is the text of a field that has one of these in each line.
func lines(all []string) string { return strings.Join(all, "\n") }
