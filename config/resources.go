package config

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"idp/store"
)

// Resource is an API that apps protect with our tokens, and what may be done there.
type Resource struct {
	ID        string  `yaml:"id,omitempty"` // of one that is made; it never changes
	Indicator string  `yaml:"indicator"`    // tells resources apart
	Name      string  `yaml:"name"`
	AccessTTL int     `yaml:"accessTokenTtl,omitempty"` // seconds; an hour if it is not there
	Scopes    []Scope `yaml:"scopes,omitempty"`
}

// Scope is something that may be done at a resource.
type Scope struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description,omitempty"`
}

// MarshalJSON implements json.Marshaler, for the comparison: scopes have no order.
func (r Resource) MarshalJSON() ([]byte, error) {
	scopes := map[string]string{}
	for _, s := range r.Scopes {
		scopes[s.Name] = s.Description
	}
	return json.Marshal(struct {
		Name      string            `json:"name"`
		AccessTTL int               `json:"accessTokenTtl"`
		Scopes    map[string]string `json:"scopes,omitempty"`
	}{r.Name, r.AccessTTL, scopes})
}

// all is a page that holds everything.
const all = 1 << 30

func (in Instance) loadResources(ctx context.Context, f *File) error {
	found, _, err := in.Admin.Resources(ctx, store.Listing{Limit: all})
	if err != nil {
		return err
	}
	f.Resources = []Resource{}
	for _, r := range found {
		if r.ID == store.ManagementResource { // built in
			continue
		}
		one := Resource{ID: r.ID, Indicator: r.Indicator, Name: r.Name, AccessTTL: int(r.AccessTTL / time.Second)}
		scopes, _, err := in.Admin.Scopes(ctx, r.ID, store.Listing{Limit: all})
		if err != nil {
			return err
		}
		for _, s := range scopes {
			one.Scopes = append(one.Scopes, Scope{s.Name, s.Description})
		}
		f.Resources = append(f.Resources, one)
	}
	return nil
}

func (in Instance) planResources(ctx context.Context, p *Plan, there, wanted File, prune bool) error {
	if wanted.Resources == nil {
		return nil
	}
	for i := range wanted.Resources {
		r := &wanted.Resources[i]
		if r.AccessTTL == 0 {
			r.AccessTTL = int(time.Hour / time.Second)
		}
		if r.Indicator == store.ManagementIndicator {
			return wrap("resources", r.Indicator, errBuiltIn)
		}
		names := map[string]bool{}
		for _, s := range r.Scopes {
			if names[s.Name] {
				return wrap("resources", r.Indicator, errTwice("scope", s.Name))
			}
			names[s.Name] = true
		}
	}
	return section[Resource]{
		name: "resources", key: func(r Resource) string { return r.Indicator }, there: there.Resources,
		create: func(ctx context.Context, r Resource) (string, error) {
			made, err := in.Admin.CreateResource(ctx, in.By, store.Resource{ID: r.ID, Name: r.Name, Indicator: r.Indicator, AccessTTL: time.Duration(r.AccessTTL) * time.Second})
			if err := in.made(err); err != nil {
				return "", err
			}
			return "", in.addScopes(ctx, made.ID, nil, r.Scopes)
		},
		update: func(ctx context.Context, before, after Resource) error {
			_, err := in.Admin.UpdateResource(ctx, in.By, before.ID, time.Time{}, func(r *store.Resource) {
				r.Name, r.AccessTTL = after.Name, time.Duration(after.AccessTTL)*time.Second
			})
			if err != nil {
				return err
			}
			return in.addScopes(ctx, before.ID, before.Scopes, after.Scopes)
		},
		later: func(ctx context.Context, before, after Resource) error {
			return in.dropScopes(ctx, before.ID, after.Scopes)
		},
		remove: func(ctx context.Context, r Resource) error {
			return in.Admin.DeleteResource(ctx, in.By, r.ID, time.Time{})
		},
	}.plan(ctx, p, wanted.Resources, prune)
}

// addScopes makes and changes the scopes of a resource.
func (in Instance) addScopes(ctx context.Context, resource string, before, after []Scope) error {
	ids, err := in.scopeIDs(ctx, resource)
	if err != nil {
		return err
	}
	for _, s := range after {
		switch id, there := ids[s.Name]; {
		case !there:
			if _, err := in.Admin.CreateScope(ctx, in.By, store.Scope{Resource: resource, Name: s.Name, Description: s.Description}); in.made(err) != nil {
				return wrap("scopes", s.Name, err)
			}
		case !slices.Contains(before, s):
			if _, err := in.Admin.UpdateScope(ctx, in.By, resource, id, time.Time{}, func(c *store.Scope) { c.Description = s.Description }); err != nil {
				return wrap("scopes", s.Name, err)
			}
		}
	}
	return nil
}

// dropScopes deletes the scopes of a resource that are none of after.
func (in Instance) dropScopes(ctx context.Context, resource string, after []Scope) error {
	ids, err := in.scopeIDs(ctx, resource)
	if err != nil {
		return err
	}
	for name, id := range ids {
		if slices.ContainsFunc(after, func(s Scope) bool { return s.Name == name }) {
			continue
		}
		if err := in.Admin.DeleteScope(ctx, in.By, resource, id, time.Time{}); err != nil {
			return wrap("scopes", name, err)
		}
	}
	return nil
}

// scopeIDs are the ids of the scopes that a resource has now, by name.
func (in Instance) scopeIDs(ctx context.Context, resource string) (map[string]string, error) {
	scopes, _, err := in.Admin.Scopes(ctx, resource, store.Listing{Limit: all})
	ids := map[string]string{}
	for _, s := range scopes {
		ids[s.Name] = s.ID
	}
	return ids, in.made(err)
}

var errBuiltIn = errors.New("is built in, and stays as it is")

func errTwice(what, name string) error { return fmt.Errorf("the %s %s is there twice", what, name) }
