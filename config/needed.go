package config

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// checkNeeded finds what a plan would take away although something else needs it. A dry run
// cannot: what is deleted may be needed until the steps before it are done.
func (in Instance) checkNeeded(ctx context.Context, there, wanted File, prune bool) error {
	roles := after(there.Roles, wanted.Roles, prune, func(r Role) string { return r.Name })
	for _, was := range there.Resources {
		is, stays := find(after(there.Resources, wanted.Resources, prune, func(r Resource) string { return r.Indicator }), func(r Resource) bool { return r.Indicator == was.Indicator })
		for _, role := range roles {
			for _, name := range role.Scopes[was.Indicator] {
				named := func(s Scope) bool { return s.Name == name }
				_, kept := find(is.Scopes, named)
				switch _, had := find(was.Scopes, named); {
				case !had: // another mistake
				case !stays:
					return wrap("resources", was.Indicator, fmt.Errorf("cannot be deleted: the role %s has its scope %s", role.Name, name))
				case !kept:
					return wrap("resources", was.Indicator, fmt.Errorf("the scope %s cannot be deleted: the role %s has it", name, role.Name))
				}
			}
		}
	}
	clients := after(there.Clients, wanted.Clients, prune, func(c Client) string { return c.ID })
	for _, was := range there.Roles {
		if _, stays := find(roles, func(r Role) bool { return r.Name == was.Name }); stays {
			continue
		}
		if c, has := find(clients, func(c Client) bool { return slices.Contains(c.Roles, was.Name) }); has {
			return wrap("roles", was.Name, fmt.Errorf("cannot be deleted: the client %s has it", c.ID))
		}
		switch holders, err := in.Admin.RoleHolders(ctx, was.ID); {
		case err != nil:
			return err
		case holders.Users > 0:
			return wrap("roles", was.Name, errors.New("cannot be deleted: people have it"))
		}
	}
	return nil
}

// after is what there will be of a section: what is listed, and of the rest what is not
// deleted.
func after[T any](there, wanted []T, prune bool, key func(T) string) []T {
	if wanted == nil {
		return there
	}
	out := slices.Clone(wanted)
	for _, t := range there {
		if _, listed := find(wanted, func(w T) bool { return key(w) == key(t) }); !listed && !prune {
			out = append(out, t)
		}
	}
	return out
}

func find[T any](list []T, is func(T) bool) (found T, ok bool) {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i], true
	}
	return found, false
}
