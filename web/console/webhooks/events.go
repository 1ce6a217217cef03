package webhooks

import (
	"slices"
	"strings"

	"idp/admin"
	"idp/web/console/shell"
)

// group is events that are chosen together.
type group struct {
	Name   string
	Events []event
}

type event struct{ Name, Meaning string }

// The groups, by how the names of their events begin; what begins with none of them is in
// the last one.
var groups = []struct{ begins, name string }{
	{"Post", shell.N("At the sign-in pages")},
	{"User.", shell.N("Accounts")},
	{"Role.", shell.N("Roles")},
	{"Scope.", shell.N("Scopes of API resources")},
	{"", shell.N("Sessions and addresses")},
}

var meanings = map[string]string{
	"PostRegister":                  shell.N("Somebody made an account."),
	"PostSignIn":                    shell.N("Somebody signed in."),
	"PostResetPassword":             shell.N("Somebody recovered an account. There are no passwords; the name is Logto’s."),
	"User.Created":                  shell.N("An account was made, by whomever."),
	"User.Deleted":                  shell.N("An account was deleted."),
	"User.Data.Updated":             shell.N("An account was changed."),
	"User.SuspensionStatus.Updated": shell.N("An account was suspended, or let in again."),
	"Role.Created":                  shell.N("A role was made."),
	"Role.Deleted":                  shell.N("A role was deleted."),
	"Role.Data.Updated":             shell.N("A role has another name or description."),
	"Role.Scopes.Updated":           shell.N("A role has other scopes."),
	"Scope.Created":                 shell.N("A scope was made."),
	"Scope.Deleted":                 shell.N("A scope was deleted."),
	"Scope.Data.Updated":            shell.N("A scope has another name or description."),
	"Session.Revoked":               shell.N("A session was ended from elsewhere."),
	"Address.Suppressed":            shell.N("An address takes no mail any more."),
}

// grouped are all events, as people choose from them.
func grouped(v *shell.Visit) (out []group) {
	left := admin.HookEvents()
	for _, g := range groups {
		shown := group{Name: v.T(g.name)}
		left = slices.DeleteFunc(left, func(name string) bool {
			if !strings.HasPrefix(name, g.begins) {
				return false
			}
			shown.Events = append(shown.Events, event{name, v.T(meanings[name])})
			return true
		})
		if len(shown.Events) > 0 {
			out = append(out, shown)
		}
	}
	return out
}
