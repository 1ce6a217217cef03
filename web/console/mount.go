package console

import "idp/web/console/shell"

// areas are the areas, in the order of the menu.
func areas(s *shell.Shell, d Deps) []area {
	return []area{}
}
