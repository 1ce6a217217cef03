package webhook

import (
	"encoding/json"
	"slices"

	"idp/store"
)

// Events of people at the pages.
const (
	PostRegister      = "PostRegister"
	PostSignIn        = "PostSignIn"
	PostResetPassword = "PostResetPassword" // account recovery: there are no passwords
)

// Events of data. The last two are not Logto's.
const (
	UserCreated       = "User.Created"
	UserDeleted       = "User.Deleted"
	UserUpdated       = "User.Data.Updated"
	UserSuspension    = "User.SuspensionStatus.Updated"
	RoleCreated       = "Role.Created"
	RoleDeleted       = "Role.Deleted"
	RoleUpdated       = "Role.Data.Updated"
	RoleScopes        = "Role.Scopes.Updated"
	ScopeCreated      = "Scope.Created"
	ScopeDeleted      = "Scope.Deleted"
	ScopeUpdated      = "Scope.Data.Updated"
	SessionRevoked    = "Session.Revoked"
	AddressSuppressed = "Address.Suppressed"
)

// events are all of them, in the order that people are shown.
var events = []string{
	PostRegister, PostSignIn, PostResetPassword,
	UserCreated, UserDeleted, UserUpdated, UserSuspension,
	RoleCreated, RoleDeleted, RoleUpdated, RoleScopes,
	ScopeCreated, ScopeDeleted, ScopeUpdated,
	SessionRevoked, AddressSuppressed,
}

// Events lists the names of all events.
func Events() []string { return slices.Clone(events) }

// interactions are what Logto calls the events of the pages.
var interactions = map[string]string{PostRegister: "Register", PostSignIn: "SignIn", PostResetPassword: "ForgotPassword"}

// meanings are the events that an entry of the audit log stands for, by its kind.
var meanings = map[string][]string{
	"user.registered":            {PostRegister, UserCreated},
	"user.signed_in":             {PostSignIn},
	"user.recovered":             {PostResetPassword},
	"user.created":               {UserCreated},
	"user.updated":               {UserUpdated},
	"user.deleted":               {UserDeleted},
	"user.suspended":             {UserSuspension},
	"user.reinstated":            {UserSuspension},
	"role.created":               {RoleCreated},
	"role.updated":               {RoleUpdated},
	"role.deleted":               {RoleDeleted},
	"scope.created":              {ScopeCreated},
	"scope.updated":              {ScopeUpdated},
	"scope.deleted":              {ScopeDeleted},
	"session.ended":              {SessionRevoked},
	"session.revoked":            {SessionRevoked},
	"user.signed_out_everywhere": {SessionRevoked},
	"suppression.added":          {AddressSuppressed},
}

// meaning lists the events that an entry of the audit log stands for. A role's entry that
// tells of its scopes only is an event of its own.
func meaning(e store.Event) []string {
	names := meanings[e.Kind]
	if e.Kind != "role.updated" {
		return names
	}
	var told struct{ Before, After map[string]json.RawMessage }
	if json.Unmarshal(e.Detail, &told) != nil {
		return names
	}
	changed := map[string]bool{}
	for _, fields := range []map[string]json.RawMessage{told.Before, told.After} {
		for name := range fields {
			changed[name] = true
		}
	}
	if len(changed) == 1 && changed["scopes"] {
		return []string{RoleScopes}
	}
	return names
}
