package shell

import "slices"

// EventKind is what is said of a kind of entries of the audit log: by itself, and with the
// name of the app that it is about ("" where there is none to name). Texts are English, and
// translated when they are shown.
type EventKind struct{ Kind, Says, SaysOf string }

// EventKinds are all that are written, in the order of filters.
var EventKinds = []EventKind{
	{"user.signed_in", N("Signed in"), N("Signed in to %s")},
	{"user.registered", N("Made an account"), N("Made an account at %s")},
	{"user.recovered", N("Recovered an account"), ""},
	{"user.signed_out", N("Signed out"), ""},
	{"user.signed_out_everywhere", N("Signed out everywhere"), ""},
	{"session.ended", N("Ended a session"), ""},
	{"challenge.locked", N("All tries of a code were wrong"), ""},
	{"challenge.disowned", N("“This was not me” was reported"), ""},
	{"mute.lifted", N("Mails go to any browser again"), ""},
	{"guess_alarm.raised", N("Codes were guessed at on many addresses"), ""},
	{"guess_alarm.ended", N("Codes were not guessed at any more"), ""},
	{"mail_ceiling.reached", N("The ceiling of all mails was reached"), ""},
	{"mail_ceiling.ended", N("The ceiling of all mails was not reached any more"), ""},
	{"grant.token_reused", N("A refresh token was used twice"), N("A refresh token of %s was used twice")},
	{"grant.code_replayed", N("An authorization code was used twice"), N("An authorization code of %s was used twice")},
	{"grant.revoked", N("Access of an app withdrawn"), ""},
	{"session.revoked", N("Session ended by an administrator"), ""},
	{"user.created", N("Account created"), ""},
	{"user.updated", N("Account changed"), ""},
	{"user.suspended", N("Account suspended"), ""},
	{"user.reinstated", N("Account let in again"), ""},
	{"user.deleted", N("Account deleted"), ""},
	{"user.roles_changed", N("Roles of an account changed"), ""},
	{"user.imported", N("Account imported"), ""},
	{"users.imported", N("People imported"), ""},
	{"users.exported", N("People exported"), ""},
	{"one_time_token.created", N("One-time token created"), ""},
	{"one_time_token.used", N("One-time token used"), ""},
	{"one_time_token.revoked", N("One-time token revoked"), ""},
	{"one_time_token.deleted", N("One-time token deleted"), ""},
	{"client.created", N("Application created"), N("%s created")},
	{"client.updated", N("Application changed"), N("%s changed")},
	{"client.deleted", N("Application deleted"), N("%s deleted")},
	{"client.secret_created", N("Secret created"), N("Secret of %s created")},
	{"client.secret_updated", N("Secret renamed"), N("Secret of %s renamed")},
	{"client.secret_rotated", N("Secret replaced"), N("Secret of %s replaced")},
	{"client.secret_deleted", N("Secret deleted"), N("Secret of %s deleted")},
	{"client.roles_changed", N("Roles of an application changed"), N("Roles of %s changed")},
	{"resource.created", N("API resource created"), ""},
	{"resource.updated", N("API resource changed"), ""},
	{"resource.deleted", N("API resource deleted"), ""},
	{"scope.created", N("Scope created"), ""},
	{"scope.updated", N("Scope changed"), ""},
	{"scope.deleted", N("Scope deleted"), ""},
	{"role.created", N("Role created"), ""},
	{"role.updated", N("Role changed"), ""},
	{"role.deleted", N("Role deleted"), ""},
	{"experience.updated", N("Sign-in experience changed"), ""},
	{"connector.created", N("Connector set up"), ""},
	{"connector.updated", N("Connector changed"), ""},
	{"connector.ordered", N("Order of connectors changed"), ""},
	{"connector.deleted", N("Connector deleted"), ""},
	{"connector.tested", N("Test mail sent"), ""},
	{"mail_template.set", N("Mail template saved"), ""},
	{"mail_template.deleted", N("Mail template deleted"), ""},
	{"suppression.added", N("Address takes no mail any more"), ""},
	{"suppression.lifted", N("Address takes mail again"), ""},
	{"test_address.set", N("Address for tests set"), ""},
	{"test_address.removed", N("Address for tests removed"), ""},
	{"hook.created", N("Webhook created"), ""},
	{"hook.updated", N("Webhook changed"), ""},
	{"hook.deleted", N("Webhook deleted"), ""},
	{"hook.key_rotated", N("Signing key of a webhook replaced"), ""},
	{"hook.tested", N("Webhook tested"), ""},
	{"key.rotated", N("Signing key replaced"), ""},
	{"key.deleted", N("Signing key deleted"), ""},
	{"operator.added", N("Administrator added"), ""},
	{"operator.role_changed", N("Role of an administrator changed"), ""},
	{"operator.removed", N("Administrator removed"), ""},
	{"console.signed_in", N("Signed in to the console"), ""},
	{"console.signed_out", N("Signed out of the console"), ""},
	{"console.link_created", N("Link into the console made"), ""},
	{"timeline.viewed", N("Looked up why somebody cannot sign in"), ""},
	{"audit.verified", N("Audit log checked"), ""},
	{"audit.exported", N("Audit log exported"), ""},
	{"owner.added", N("Owner added"), ""}, // of earlier versions, as the next
	{"owner.removed", N("Owner removed"), ""},
}

// EventName says what happened; app is the name of the app that it was about, or "".
func (v *Visit) EventName(kind, app string) string {
	i := slices.IndexFunc(EventKinds, func(k EventKind) bool { return k.Kind == kind })
	switch {
	case i < 0:
		return kind // of a later version
	case app == "" || EventKinds[i].SaysOf == "":
		return v.T(EventKinds[i].Says)
	}
	return v.T(EventKinds[i].SaysOf, app)
}
