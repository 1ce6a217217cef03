package resources

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"idp/store"
	"idp/web/console/shell"
)

// noVersion is that of something that is not there yet.
var noVersion time.Time

type settingsView struct {
	shell.Frame
	shell.Form
	head

	Scopes  int
	Confirm string // what is wrong with the name that was typed to delete it
}

// typed is what stands in the form of a resource.
func typed(r store.Resource) url.Values {
	return url.Values{"name": {r.Name}, "accessTokenTtl": {strconv.Itoa(int(r.AccessTTL.Seconds()))}}
}

// show is GET /console/resources/ID.
func (p *Pages) show(v *shell.Visit) error {
	r, err := p.admin.Resource(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	return p.showSettings(v, http.StatusOK, r, shell.NewForm(typed(r), r.UpdatedAt), "")
}

func (p *Pages) showSettings(v *shell.Visit, status int, r store.Resource, f shell.Form, confirm string) error {
	counts, err := p.admin.ScopeCounts(v.R.Context())
	if err != nil {
		return err
	}
	return v.Show(status, p.set, "settings", settingsView{v.Frame(shell.Resources), f, headOf(v, r, ""), counts[r.ID], confirm})
}

// save is POST /console/resources/ID.
func (p *Pages) save(v *shell.Visit) error {
	id, f := v.Param("id"), v.Typed()
	seconds, err := strconv.Atoi(v.Got("accessTokenTtl"))
	if err != nil {
		f.Reject("accessTokenTtl", v.T("Enter a whole number of seconds."))
	} else {
		_, err = p.admin.UpdateResource(v.R.Context(), v.By, id, f.Seen(), func(r *store.Resource) {
			r.Name, r.AccessTTL = v.Got("name"), time.Duration(seconds)*time.Second
		})
	}
	if err == nil {
		return v.Done(path(id), v.T("Saved."))
	}
	now, gone := p.admin.Resource(v.R.Context(), id)
	switch {
	case gone != nil:
		return gone
	case store.CodeOf(err) == store.Changed:
		f.Changed(typed(now), now.UpdatedAt, [2]string{"name", v.T("Name")}, [2]string{"accessTokenTtl", v.T("Lifetime of access tokens, in seconds")})
	case !f.IsWrong() && !f.Take(v, err):
		return err
	}
	return p.showSettings(v, f.Status(), now, f, "")
}

// remove is POST /console/resources/ID/delete.
func (p *Pages) remove(v *shell.Visit) error {
	r, err := p.admin.Resource(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	f := shell.NewForm(typed(r), r.UpdatedAt)
	if !v.Confirmed(r.Name) {
		return p.showSettings(v, http.StatusUnprocessableEntity, r, f, v.T("That is not its name: nothing was deleted."))
	}
	err = p.admin.DeleteResource(v.R.Context(), v.By, r.ID, time.Time{})
	switch {
	case err == nil:
		return v.Done(root, v.T("Deleted %s.", r.Name))
	case !f.Take(v, err):
		return err
	}
	return p.showSettings(v, http.StatusConflict, r, f, "")
}
