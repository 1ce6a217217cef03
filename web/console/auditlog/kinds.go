package auditlog

import (
	"encoding/json"

	"idp/store"
	"idp/web/console/shell"
)

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
	for _, k := range shell.EventKinds {
		out = append(out, shell.Option{Value: k.Kind, Name: v.T(k.Says)})
	}
	return out
}

// titleOf says what happened; app is the name of the app that it is about, or "".
func titleOf(v *shell.Visit, e store.Event, app string) string {
	if changed := changedIn(e.Detail); app != "" && e.Kind == "client.updated" && len(changed) == 1 && fields[changed[0]] != "" {
		return v.T(fields[changed[0]], app)
	}
	return v.EventName(e.Kind, app)
}

// changedIn are the names of the fields that an entry says were changed.
func changedIn(detail json.RawMessage) (names []string) {
	for _, c := range changesIn(detail, nil) {
		names = append(names, c.Field)
	}
	return names
}
