package shell

import (
	"net/url"

	"idp/store"
	"idp/web/page"
)

// Entry is an entry of the menu, by the path below /console.
type Entry string

// The entries.
const (
	Start        Entry = ""
	Applications Entry = "/applications"
	Resources    Entry = "/resources"
	Users        Entry = "/users"
	Roles        Entry = "/roles"
	Why          Entry = "/why"
	Experience   Entry = "/sign-in-experience"
	Email        Entry = "/email"
	Deliveries   Entry = "/deliveries"
	AuditLog     Entry = "/audit-log"
	Webhooks     Entry = "/webhooks"
	Keys         Entry = "/keys"
	Settings     Entry = "/settings"
)

// At is the path of something under an entry: of a user, of a delivery.
func (e Entry) At(id string) string { return Path + string(e) + "/" + url.PathEscape(id) }

// group is entries of the menu that belong together.
type group struct {
	name    string
	entries []item
}

type item struct {
	entry      Entry
	name, icon string
}

// The menu, with names as in the templates: English, and translated when shown.
var menu = []group{
	{"", []item{{Start, N("Get started"), "start"}}},
	{N("Apps"), []item{{Applications, N("Applications"), "app"}, {Resources, N("API resources"), "api"}}},
	{N("People"), []item{{Users, N("Users"), "users"}, {Roles, N("Roles"), "role"}, {Why, N("Why can’t they sign in?"), "why"}}},
	{N("Sign-in"), []item{{Experience, N("Sign-in experience"), "look"}, {Email, N("Email"), "mail"}, {Deliveries, N("Deliveries"), "sent"}}},
	{N("Instance"), []item{{AuditLog, N("Audit log"), "log"}, {Webhooks, N("Webhooks"), "hook"}, {Keys, N("Keys"), "key"}, {Settings, N("Settings"), "settings"}}},
}

// Group is entries of the menu, as shown.
type Group struct {
	Name  string
	Items []Item
}

// Item is one.
type Item struct {
	Name, Href, Icon string
	Current          bool
}

// Tab is one of the pages of something, for the part "tabs".
type Tab struct {
	Name, Href string
	Current    bool
}

// Frame is what stands around a page; its view embeds it.
type Frame struct {
	Menu      []Group
	Languages []page.Choice
	Email     string // of who is signed in
	Role      store.OperatorRole
	RoleName  string
	Token     string // for forms
	Notice    string // what was done on the page before
	Host      string // whose console it is
	Dev       bool

	CanWrite, IsOwner bool
}

// Frame makes the frame of a page under an entry of the menu.
func (v *Visit) Frame(current Entry) Frame {
	f := Frame{
		Email: page.Address(v.Session.User.Email), Role: v.Session.Role, RoleName: v.T(roleNames[v.Session.Role]), Token: v.token(),
		Notice: v.notice, Host: page.Host(v.shell.Endpoint), Dev: v.shell.Dev, CanWrite: v.May(store.RoleAdmin), IsOwner: v.May(store.RoleOwner),
		Languages: page.Languages(v.shell.languages, v.Lang, address(v.R)),
	}
	for _, g := range menu {
		shown := Group{Name: v.T(g.name)}
		for _, i := range g.entries {
			shown.Items = append(shown.Items, Item{v.T(i.name), Path + string(i.entry), i.icon, i.entry == current})
		}
		f.Menu = append(f.Menu, shown)
	}
	return f
}

var roleNames = map[store.OperatorRole]string{store.RoleOwner: N("Owner"), store.RoleAdmin: N("Admin"), store.RoleViewer: N("Viewer")}
