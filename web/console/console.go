// Package console is the operators' pages at /console: what the management API can do, for
// people, with the same functions (package admin).
//
// shell/ is what all pages share; every other folder is an area of the menu. Areas know the
// shell and package admin, and nothing of each other.
package console

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"idp/admin"
	"idp/web/console/experience"
	"idp/web/console/settings"
	"idp/web/console/shell"
)

// Deps is what the console is made of.
type Deps struct {
	shell.Deps
	Admin    *admin.Service
	Previews experience.Previews // the pages of people
	Instance settings.Instance   // what the server was started with
}

// Console is all of its pages.
type Console struct {
	shell *shell.Shell
	areas []area
}

// area is a part of the menu.
type area interface{ Mount(r chi.Router) }

// New makes the console.
func New(d Deps) (*Console, error) {
	s, err := shell.New(d.Deps)
	if err != nil {
		return nil, err
	}
	return &Console{s, areas(s, d)}, nil
}

// Mount adds the routes.
func (c *Console) Mount(r chi.Router) {
	r.Route(shell.Path, func(r chi.Router) {
		c.shell.Mount(r)
		for _, a := range c.areas {
			a.Mount(r)
		}
	})
}

// Failed answers when a page has panicked.
func (c *Console) Failed(w http.ResponseWriter, r *http.Request) { c.shell.Failed(w, r) }
