package roles

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"idp/store"
	"idp/web/console/shell"
)

// Bounds of the page of scopes. What an instance has beyond them is kept as it is.
const (
	maxScopes    = 1000
	maxResources = 500
)

type scopesView struct {
	shell.Frame
	shell.Form
	head

	Groups []group
	Cut    bool // there are more scopes than are shown
}

// group is the scopes of an API.
type group struct {
	Name   string
	Scopes []scope

	resource string
	builtIn  bool // the management API: behind the others
}

type scope struct {
	ID, Name, Description string
	On                    bool
	Locked                bool // nobody who is there may give it
}

// offered is what a role can have: the scopes by their ids, and the resources that they are
// of. Cut tells that there are more.
type offered struct {
	scopes    []store.Scope
	resources map[string]store.Resource
	cut       bool
}

// offer lists the scopes that a role can have.
func (p *Pages) offer(ctx context.Context, r store.Role) (o offered, err error) {
	found, total, err := p.admin.AllScopes(ctx, store.Listing{Limit: maxScopes})
	if err != nil {
		return o, err
	}
	resources, _, err := p.admin.Resources(ctx, store.Listing{Limit: maxResources})
	if err != nil {
		return o, err
	}
	o.cut, o.resources = total > len(found), map[string]store.Resource{}
	for _, res := range resources {
		o.resources[res.ID] = res
	}
	for _, c := range found {
		_, known := o.resources[c.Resource]
		if known && (c.Resource != store.ManagementResource || r.Type == store.MachineRole) {
			o.scopes = append(o.scopes, c)
		}
	}
	return o, nil
}

// names are scopes as people are told of them, one in a line.
func (o offered) names(ids []string) (lines []string) {
	for _, c := range o.scopes {
		if slices.Contains(ids, c.ID) {
			lines = append(lines, o.resources[c.Resource].Name+": "+c.Name)
		}
	}
	slices.Sort(lines)
	return lines
}

func (p *Pages) scopesOf(ctx context.Context, role string) ([]string, error) {
	found, _, err := p.admin.RoleScopes(ctx, role, store.Listing{Limit: store.MaxCount})
	ids := make([]string, len(found))
	for i, c := range found {
		ids[i] = c.ID
	}
	return ids, err
}

// scopes is GET /console/roles/ID/scopes.
func (p *Pages) scopes(v *shell.Visit) error {
	r, err := p.admin.Role(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	has, err := p.scopesOf(v.R.Context(), r.ID)
	if err != nil {
		return err
	}
	o, err := p.offer(v.R.Context(), r)
	if err != nil {
		return err
	}
	return p.showScopes(v, http.StatusOK, r, o, shell.NewForm(url.Values{"scopes": has}, r.UpdatedAt))
}

func (p *Pages) showScopes(v *shell.Visit, status int, r store.Role, o offered, f shell.Form) error {
	view := scopesView{Frame: v.Frame(shell.Roles), Form: f, head: headOf(v, r, "/scopes"), Cut: o.cut}
	byResource := map[string]*group{}
	for _, c := range o.scopes {
		g := byResource[c.Resource]
		if g == nil {
			g = &group{Name: o.resources[c.Resource].Name, resource: c.Resource, builtIn: c.Resource == store.ManagementResource}
			byResource[c.Resource] = g
		}
		on := f.Has("scopes", c.ID)
		locked := !on && c.Resource == store.ManagementResource && !store.Covers(v.By.Scopes, c.Name)
		g.Scopes = append(g.Scopes, scope{c.ID, c.Name, c.Description, on, locked})
	}
	for _, g := range slices.SortedFunc(maps.Values(byResource), func(a, b *group) int {
		if a.builtIn != b.builtIn {
			return strings.Compare(strconv.FormatBool(a.builtIn), strconv.FormatBool(b.builtIn))
		}
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.resource, b.resource))
	}) {
		view.Groups = append(view.Groups, *g)
	}
	return v.Show(status, p.set, "scopes", view)
}

// saveScopes is POST /console/roles/ID/scopes. What the page did not show is kept.
func (p *Pages) saveScopes(v *shell.Visit) error {
	id, f := v.Param("id"), v.Typed()
	r, err := p.admin.Role(v.R.Context(), id)
	if err != nil {
		return err
	}
	o, err := p.offer(v.R.Context(), r)
	if err != nil {
		return err
	}
	has, err := p.scopesOf(v.R.Context(), id)
	if err != nil {
		return err
	}
	wanted := slices.Clone(v.Form["scopes"])
	if o.cut {
		for _, c := range has {
			if !slices.ContainsFunc(o.scopes, func(s store.Scope) bool { return s.ID == c }) {
				wanted = append(wanted, c)
			}
		}
	}
	slices.Sort(wanted)
	err = p.admin.SetRoleScopes(v.R.Context(), v.By, id, f.Seen(), slices.Compact(wanted))
	switch {
	case err == nil:
		return v.Done(path(id, "/scopes"), v.T("Saved. New tokens have it from now on."))
	case store.CodeOf(err) == store.Changed:
		f.Values = url.Values{"scopes": o.names(v.Form["scopes"])}
		f.Changed(url.Values{"scopes": o.names(has)}, r.UpdatedAt, [2]string{"scopes", v.T("Scopes")})
		f.Values = v.Form
	case store.CodeOf(err) == store.Forbidden:
		f.Wrong = tooStrong(v)
	case store.CodeOf(err) == store.Invalid:
		f.Wrong = v.T("One of the scopes is gone meanwhile. Look through those that are here, and save again.")
	case !f.Take(v, err):
		return err
	}
	return p.showScopes(v, f.Status(), r, o, f)
}
