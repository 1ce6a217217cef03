package console

import (
	"idp/web/console/applications"
	"idp/web/console/auditlog"
	"idp/web/console/deliveries"
	"idp/web/console/email"
	"idp/web/console/experience"
	"idp/web/console/keys"
	"idp/web/console/resources"
	"idp/web/console/roles"
	"idp/web/console/settings"
	"idp/web/console/shell"
	"idp/web/console/start"
	"idp/web/console/timeline"
	"idp/web/console/users"
	"idp/web/console/webhooks"
)

// areas are the areas, in the order of the menu.
func areas(s *shell.Shell, d Deps) []area {
	return []area{
		start.New(s, d.Admin),
		experience.New(s, d.Admin, d.Previews),
		resources.New(s, d.Admin),
		roles.New(s, d.Admin),
		users.New(s, d.Admin),
		timeline.New(s, d.Admin),
		webhooks.New(s, d.Admin),
		applications.New(s, d.Admin),
		email.New(s, d.Admin),
		deliveries.New(s, d.Admin),
		auditlog.New(s, d.Admin),
		keys.New(s, d.Admin),
		settings.New(s, d.Admin, d.Instance),
	}
}
