package console

import (
	"idp/web/console/shell"
	"idp/web/console/start"
)

// areas are the areas, in the order of the menu.
func areas(s *shell.Shell, d Deps) []area {
	return []area{
		start.New(s, d.Admin),
	}
}
