package config

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"idp/store"
)

// Role is a set of scopes. Who has it is no configuration, but for clients.
type Role struct {
	ID          string              `yaml:"id,omitempty" json:"-"` // of one that is made; it never changes
	Name        string              `yaml:"name" json:"-"`         // tells roles apart
	Description string              `yaml:"description,omitempty" json:"description"`
	Type        store.RoleType      `yaml:"type,omitempty" json:"type"` // User if it is not there
	IsDefault   bool                `yaml:"isDefault,omitempty" json:"isDefault"`
	Scopes      map[string][]string `yaml:"scopes,omitempty" json:"scopes,omitempty"` // names, by the indicator of their resource
}

func (in Instance) loadRoles(ctx context.Context, f *File) error {
	found, _, err := in.Admin.Roles(ctx, store.RoleListing{Listing: store.Listing{Limit: all}})
	if err != nil {
		return err
	}
	indicators, err := in.indicators(ctx)
	if err != nil {
		return err
	}
	f.Roles = []Role{}
	for _, r := range found {
		if r.ID == store.ManagementRole { // built in
			continue
		}
		one := Role{ID: r.ID, Name: r.Name, Description: r.Description, Type: r.Type, IsDefault: r.Default}
		scopes, _, err := in.Admin.RoleScopes(ctx, r.ID, store.Listing{Limit: all})
		if err != nil {
			return err
		}
		for _, s := range scopes {
			if one.Scopes == nil {
				one.Scopes = map[string][]string{}
			}
			one.Scopes[indicators[s.Resource]] = append(one.Scopes[indicators[s.Resource]], s.Name)
		}
		one.sort()
		f.Roles = append(f.Roles, one)
	}
	return nil
}

// sort puts the scopes into an order: they have none.
func (r *Role) sort() {
	for _, names := range r.Scopes {
		slices.Sort(names)
	}
}

// indicators are those of the resources there are, by id.
func (in Instance) indicators(ctx context.Context) (map[string]string, error) {
	resources, _, err := in.Admin.Resources(ctx, store.Listing{Limit: all})
	out := map[string]string{}
	for _, r := range resources {
		out[r.ID] = r.Indicator
	}
	return out, err
}

func (in Instance) planRoles(ctx context.Context, p *Plan, there, wanted File, prune bool) error {
	if wanted.Roles == nil {
		return nil
	}
	indicators, err := in.indicators(ctx)
	if err != nil {
		return err
	}
	for i := range wanted.Roles {
		r := &wanted.Roles[i]
		if r.Type == "" {
			r.Type = store.UserRole
		}
		r.sort()
		maps.DeleteFunc(r.Scopes, func(_ string, names []string) bool { return len(names) == 0 })
		for indicator, names := range r.Scopes {
			known := indicator == store.ManagementIndicator || slices.ContainsFunc(wanted.Resources, func(r Resource) bool { return r.Indicator == indicator })
			for _, is := range indicators {
				known = known || is == indicator
			}
			if !known {
				return wrap("roles", r.Name, fmt.Errorf("scopes: there is no resource %s", indicator))
			}
			if len(slices.Compact(slices.Clone(names))) != len(names) {
				return wrap("roles", r.Name, fmt.Errorf("scopes of %s: one is there twice", indicator))
			}
			if err := in.knownScopes(ctx, wanted, there, indicator, names); err != nil {
				return wrap("roles", r.Name, err)
			}
		}
	}
	return section[Role]{
		name: "roles", key: func(r Role) string { return r.Name }, there: there.Roles,
		create: func(ctx context.Context, r Role) (string, error) {
			scopes, err := in.idsOfScopes(ctx, r)
			if err != nil {
				return "", err
			}
			_, err = in.Admin.CreateRole(ctx, in.By, store.Role{ID: r.ID, Name: r.Name, Description: r.Description, Type: r.Type, Default: r.IsDefault}, scopes)
			return "", in.made(err)
		},
		update: func(ctx context.Context, before, after Role) error {
			if after.Type != before.Type {
				return fmt.Errorf("type: %s cannot become %s: make another role", before.Type, after.Type)
			}
			scopes, err := in.idsOfScopes(ctx, after)
			if err != nil {
				return err
			}
			if before.Description != after.Description || before.IsDefault != after.IsDefault {
				_, err := in.Admin.UpdateRole(ctx, in.By, before.ID, time.Time{}, func(r *store.Role) { r.Description, r.Default = after.Description, after.IsDefault })
				if err != nil {
					return err
				}
			}
			if from, to := differing(before.Scopes, after.Scopes); len(from)+len(to) == 0 {
				return nil
			}
			return in.Admin.SetRoleScopes(ctx, in.By, before.ID, time.Time{}, scopes)
		},
		remove: func(ctx context.Context, r Role) error { return in.Admin.DeleteRole(ctx, in.By, r.ID, time.Time{}) },
	}.plan(ctx, p, wanted.Roles, prune)
}

// knownScopes tells whether a resource has these scopes, or gets them from the file.
func (in Instance) knownScopes(ctx context.Context, wanted, there File, indicator string, names []string) error {
	known := map[string]bool{}
	if indicator == store.ManagementIndicator {
		ids, err := in.scopeIDs(ctx, store.ManagementResource)
		if err != nil {
			return err
		}
		for name := range ids {
			known[name] = true
		}
	}
	is := func(r Resource) bool { return r.Indicator == indicator }
	from := wanted.Resources // what it lists is what there will be
	if !slices.ContainsFunc(from, is) {
		from = there.Resources
	}
	if i := slices.IndexFunc(from, is); i >= 0 {
		for _, s := range from[i].Scopes {
			known[s.Name] = true
		}
	}
	for _, name := range names {
		if !known[name] {
			return fmt.Errorf("scopes: %s has no scope %s", indicator, name)
		}
	}
	return nil
}

// idsOfScopes finds the scopes of a role. In a dry run those are left out that are not made.
func (in Instance) idsOfScopes(ctx context.Context, r Role) (ids []string, err error) {
	indicators, err := in.indicators(ctx)
	if err != nil {
		return nil, err
	}
	for resource, indicator := range indicators {
		names := r.Scopes[indicator]
		if len(names) == 0 {
			continue
		}
		there, err := in.scopeIDs(ctx, resource)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			id, ok := there[name]
			if !ok && !in.isDry {
				return nil, fmt.Errorf("scopes: %s has no scope %s any more", indicator, name)
			}
			if ok {
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}
