package main

import (
	"idp/web/console/settings"
)

// told is what the console tells of how the server was started.
func told(in *instance, o options) settings.Instance {
	i := settings.Instance{Version: buildVersion(), Database: "Postgres"}
	if in.sqlite != "" {
		i.Database = "SQLite"
	}
	for _, group := range []string{"otp", "limit", "ttl"} {
		l := settings.Limits{Group: group}
		for _, s := range o.InForce(group) {
			l.Values = append(l.Values, settings.Value{Variable: s.Variable, Text: s.Value})
		}
		i.InForce = append(i.InForce, l)
	}
	return i
}
