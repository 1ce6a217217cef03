package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"idp/audit"
	"idp/store"
)

type scopeStore interface {
	AllScopes(ctx context.Context, l store.Listing) ([]store.Scope, int, error)
	ScopeCounts(ctx context.Context) (map[string]int, error)
	Scopes(ctx context.Context, resource string, l store.Listing) ([]store.Scope, int, error)
	Scope(ctx context.Context, id string) (store.Scope, error)
	CreateScope(ctx context.Context, c store.Scope, told ...store.Event) error
	UpdateScope(ctx context.Context, c store.Scope, seen time.Time, told ...store.Event) (time.Time, error)
	DeleteScope(ctx context.Context, id string, seen time.Time, told ...store.Event) error
}

// Scopes lists the scopes of a resource, oldest first, and counts them.
func (s *Service) Scopes(ctx context.Context, resource string, l store.Listing) ([]store.Scope, int, error) {
	if _, err := s.store.Resource(ctx, resource); err != nil {
		return nil, 0, err
	}
	return s.store.Scopes(ctx, resource, l)
}

// AllScopes lists the scopes of all resources, resource by resource, and counts them.
func (s *Service) AllScopes(ctx context.Context, l store.Listing) ([]store.Scope, int, error) {
	return s.store.AllScopes(ctx, l)
}

// Scope reads a scope of a resource.
func (s *Service) Scope(ctx context.Context, resource, id string) (store.Scope, error) {
	return s.scopeOf(ctx, "read scope", resource, id)
}

// CreateScope adds a scope to a resource. Its id is made here unless it has one.
func (s *Service) CreateScope(ctx context.Context, by audit.Actor, c store.Scope) (store.Scope, error) {
	const op = "create scope"
	if err := notBuiltIn(op, c.Resource); err != nil {
		return c, err
	}
	if c.ID == "" {
		c.ID = newID()
	}
	if err := errors.Join(checkID(op, c.ID), checkScope(op, c)); err != nil {
		return c, err
	}
	entry := s.book.Entry(by, audit.Record{Kind: "scope.created", Target: "scope:" + c.ID, Detail: audit.Changes(nil, scopeSeen(c))})
	if err := s.store.CreateScope(ctx, c, entry); err != nil {
		return c, taken(err, op, "the resource has a scope "+c.Name+" already, or there is one with the id")
	}
	return s.store.Scope(ctx, c.ID)
}

// scopeOf reads a scope of a resource.
func (s *Service) scopeOf(ctx context.Context, op, resource, id string) (store.Scope, error) {
	c, err := s.store.Scope(ctx, id)
	if err == nil && c.Resource != resource {
		return c, &store.Error{Code: store.NotFound, Op: op}
	}
	return c, err
}

// UpdateScope changes name and description of a scope of a resource by change. seen as in
// [Service.UpdateClient].
func (s *Service) UpdateScope(ctx context.Context, by audit.Actor, resource, id string, seen time.Time, change func(*store.Scope)) (store.Scope, error) {
	const op = "update scope"
	if err := notBuiltIn(op, resource); err != nil {
		return store.Scope{}, err
	}
	return edit(op, seen,
		func() (store.Scope, time.Time, error) {
			c, err := s.scopeOf(ctx, op, resource, id)
			return c, c.UpdatedAt, err
		},
		func(before store.Scope, version time.Time) (after store.Scope, err error) {
			after = before
			change(&after)
			if err := checkScope(op, after); err != nil {
				return after, err
			}
			entry := s.book.Entry(by, audit.Record{Kind: "scope.updated", Target: "scope:" + id, Detail: audit.Changes(scopeSeen(before), scopeSeen(after))})
			after.UpdatedAt, err = s.store.UpdateScope(ctx, after, version, entry)
			return after, taken(err, op, "the resource has a scope "+after.Name+" already")
		})
}

// DeleteScope removes a scope of a resource, if no role has it.
func (s *Service) DeleteScope(ctx context.Context, by audit.Actor, resource, id string, seen time.Time) error {
	const op = "delete scope"
	if err := notBuiltIn(op, resource); err != nil {
		return err
	}
	c, err := s.scopeOf(ctx, op, resource, id)
	if err != nil {
		return err
	}
	return s.store.DeleteScope(ctx, id, seen, s.book.Entry(by, audit.Record{Kind: "scope.deleted", Target: "scope:" + id, Detail: audit.Changes(scopeSeen(c), nil)}))
}

// checkScope checks a scope: its name is a scope-token (RFC 6749 section 3.3).
func checkScope(op string, c store.Scope) error {
	const most = 128
	if c.Name == "" {
		return store.InvalidField(op, "name", "is missing")
	}
	if len(c.Name) > most {
		return store.InvalidField(op, "name", fmt.Sprintf("is longer than %d characters", most))
	}
	for _, r := range c.Name {
		if r <= ' ' || r >= 0x7f || r == '"' || r == '\\' {
			return store.InvalidField(op, "name", `has a character that is no visible ASCII, or is " or \`)
		}
	}
	return checkText(op, "description", c.Description, 0, 256)
}

// scopeSeen is what the audit log tells of a scope.
func scopeSeen(c store.Scope) any {
	return struct {
		Resource    string `json:"resourceId"`
		Name        string `json:"name"`
		Description string `json:"description"`
	}{c.Resource, c.Name, c.Description}
}
