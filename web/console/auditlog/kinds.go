package auditlog

import (
	"encoding/json"
	"slices"

	"idp/admin"
	"idp/audit"
	"idp/store"
	"idp/web/console/shell"
)

// kind is what is said of a kind of entries: on its own, and with the name of what it is
// about ("" where there is nothing to name).
type kind struct{ name, short, of string }

// kinds are all that are written, in the order of the filter.
var kinds = []kind{
	{"user.signed_in", shell.N("Signed in"), shell.N("Signed in to %s")},
	{"user.registered", shell.N("Made an account"), shell.N("Made an account at %s")},
	{"user.recovered", shell.N("Recovered an account"), ""},
	{"user.signed_out", shell.N("Signed out"), ""},
	{"user.signed_out_everywhere", shell.N("Signed out everywhere"), ""},
	{"session.ended", shell.N("Ended a session"), ""},
	{audit.KindChallengeLocked, shell.N("All tries of a code were wrong"), ""},
	{audit.KindChallengeDisowned, shell.N("“This was not me” was reported"), ""},
	{"mute.lifted", shell.N("Mails go to any browser again"), ""},
	{audit.KindTokenReused, shell.N("A refresh token was used twice"), shell.N("A refresh token of %s was used twice")},
	{audit.KindCodeReplayed, shell.N("An authorization code was used twice"), shell.N("An authorization code of %s was used twice")},
	{"grant.revoked", shell.N("Access of an app withdrawn"), ""},
	{"session.revoked", shell.N("Session ended by an administrator"), ""},
	{"user.created", shell.N("Account created"), ""},
	{"user.updated", shell.N("Account changed"), ""},
	{"user.suspended", shell.N("Account suspended"), ""},
	{"user.reinstated", shell.N("Account let in again"), ""},
	{"user.deleted", shell.N("Account deleted"), ""},
	{"user.roles_changed", shell.N("Roles of an account changed"), ""},
	{"user.imported", shell.N("Account imported"), ""},
	{"users.imported", shell.N("People imported"), ""},
	{"users.exported", shell.N("People exported"), ""},
	{"one_time_token.created", shell.N("One-time token created"), ""},
	{"one_time_token.used", shell.N("One-time token used"), ""},
	{"one_time_token.revoked", shell.N("One-time token revoked"), ""},
	{"one_time_token.deleted", shell.N("One-time token deleted"), ""},
	{"client.created", shell.N("Application created"), shell.N("%s created")},
	{"client.updated", shell.N("Application changed"), shell.N("%s changed")},
	{"client.deleted", shell.N("Application deleted"), shell.N("%s deleted")},
	{"client.secret_created", shell.N("Secret created"), shell.N("Secret of %s created")},
	{"client.secret_updated", shell.N("Secret renamed"), shell.N("Secret of %s renamed")},
	{"client.secret_rotated", shell.N("Secret replaced"), shell.N("Secret of %s replaced")},
	{"client.secret_deleted", shell.N("Secret deleted"), shell.N("Secret of %s deleted")},
	{"client.roles_changed", shell.N("Roles of an application changed"), shell.N("Roles of %s changed")},
	{"resource.created", shell.N("API resource created"), ""},
	{"resource.updated", shell.N("API resource changed"), ""},
	{"resource.deleted", shell.N("API resource deleted"), ""},
	{"scope.created", shell.N("Scope created"), ""},
	{"scope.updated", shell.N("Scope changed"), ""},
	{"scope.deleted", shell.N("Scope deleted"), ""},
	{"role.created", shell.N("Role created"), ""},
	{"role.updated", shell.N("Role changed"), ""},
	{"role.deleted", shell.N("Role deleted"), ""},
	{"experience.updated", shell.N("Sign-in experience changed"), ""},
	{"connector.created", shell.N("Connector set up"), ""},
	{"connector.updated", shell.N("Connector changed"), ""},
	{"connector.ordered", shell.N("Order of connectors changed"), ""},
	{"connector.deleted", shell.N("Connector deleted"), ""},
	{"connector.tested", shell.N("Test mail sent"), ""},
	{"mail_template.set", shell.N("Mail template saved"), ""},
	{"mail_template.deleted", shell.N("Mail template deleted"), ""},
	{"suppression.added", shell.N("Address takes no mail any more"), ""},
	{"suppression.lifted", shell.N("Address takes mail again"), ""},
	{"hook.created", shell.N("Webhook created"), ""},
	{"hook.updated", shell.N("Webhook changed"), ""},
	{"hook.deleted", shell.N("Webhook deleted"), ""},
	{"hook.key_rotated", shell.N("Signing key of a webhook replaced"), ""},
	{"hook.tested", shell.N("Webhook tested"), ""},
	{"key.rotated", shell.N("Signing key replaced"), ""},
	{"key.deleted", shell.N("Signing key deleted"), ""},
	{"operator.added", shell.N("Administrator added"), ""},
	{"operator.role_changed", shell.N("Role of an administrator changed"), ""},
	{"operator.removed", shell.N("Administrator removed"), ""},
	{"console.signed_in", shell.N("Signed in to the console"), ""},
	{"console.signed_out", shell.N("Signed out of the console"), ""},
	{"console.link_created", shell.N("Link into the console made"), ""},
	{admin.KindLogsVerified, shell.N("Audit log checked"), ""},
	{admin.KindLogsExported, shell.N("Audit log exported"), ""},
	{"owner.added", shell.N("Owner added"), ""}, // of earlier versions, as the next
	{"owner.removed", shell.N("Owner removed"), ""},
}

// fields say of a change of one field of an application what was changed.
var fields = map[string]string{
	"name":                   shell.N("Name of %s changed"),
	"description":            shell.N("Description of %s changed"),
	"redirectUris":           shell.N("Redirect URIs of %s changed"),
	"postLogoutRedirectUris": shell.N("Addresses after sign-out of %s changed"),
	"corsAllowedOrigins":     shell.N("Origins of %s changed"),
}

// options are the kinds as choices.
func options(v *shell.Visit) []shell.Option {
	out := []shell.Option{{Name: v.T("Anything")}}
	for _, k := range kinds {
		out = append(out, shell.Option{Value: k.name, Name: v.T(k.short)})
	}
	return out
}

// titleOf says what happened; app is the name of the app that it is about, or "".
func titleOf(v *shell.Visit, e store.Event, app string) string {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == e.Kind })
	switch {
	case i < 0:
		return e.Kind // of a later version
	case app == "" || kinds[i].of == "":
		return v.T(kinds[i].short)
	}
	if changed := changedIn(e.Detail); e.Kind == "client.updated" && len(changed) == 1 && fields[changed[0]] != "" {
		return v.T(fields[changed[0]], app)
	}
	return v.T(kinds[i].of, app)
}

// changedIn are the names of the fields that an entry says were changed.
func changedIn(detail json.RawMessage) (names []string) {
	for _, c := range changesIn(detail, nil) {
		names = append(names, c.Field)
	}
	return names
}
