package admin

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"idp/audit"
	"idp/store"
)

type resourceStore interface {
	Resources(ctx context.Context, l store.Listing) ([]store.Resource, int, error)
	Resource(ctx context.Context, id string) (store.Resource, error)
	CreateResource(ctx context.Context, r store.Resource, told ...store.Event) error
	UpdateResource(ctx context.Context, r store.Resource, seen time.Time, told ...store.Event) (time.Time, error)
	DeleteResource(ctx context.Context, id string, seen time.Time, told ...store.Event) error
}

// Lifetimes that access tokens for a resource may have.
const (
	DefaultAccessTTL = time.Hour
	minAccessTTL     = time.Minute
	maxAccessTTL     = 24 * time.Hour // nothing calls a JWT back before it ends
)

// Resources lists resources, oldest first, and counts them.
func (s *Service) Resources(ctx context.Context, l store.Listing) ([]store.Resource, int, error) {
	return s.store.Resources(ctx, l)
}

// ScopeCounts tells how many scopes each resource has, by its id.
func (s *Service) ScopeCounts(ctx context.Context) (map[string]int, error) {
	return s.store.ScopeCounts(ctx)
}

// Resource reads a resource.
func (s *Service) Resource(ctx context.Context, id string) (store.Resource, error) {
	return s.store.Resource(ctx, id)
}

// CreateResource adds a resource. Its id is made here unless it has one; a lifetime of 0 is
// [DefaultAccessTTL].
func (s *Service) CreateResource(ctx context.Context, by audit.Actor, r store.Resource) (store.Resource, error) {
	const op = "create resource"
	if r.ID == "" {
		r.ID = newID()
	}
	if r.AccessTTL == 0 {
		r.AccessTTL = DefaultAccessTTL
	}
	if err := errors.Join(checkID(op, r.ID), checkResource(op, r), checkIndicator(op, r.Indicator)); err != nil {
		return r, err
	}
	entry := s.book.Entry(by, audit.Record{Kind: "resource.created", Target: "resource:" + r.ID, Detail: audit.Changes(nil, resourceSeen(r))})
	if err := s.store.CreateResource(ctx, r, entry); err != nil {
		return r, taken(err, op, "another resource has the indicator "+r.Indicator+", or the id")
	}
	return s.store.Resource(ctx, r.ID)
}

// UpdateResource changes name and lifetime of a resource by change. seen as in
// [Service.UpdateClient].
func (s *Service) UpdateResource(ctx context.Context, by audit.Actor, id string, seen time.Time, change func(*store.Resource)) (store.Resource, error) {
	const op = "update resource"
	if err := notBuiltIn(op, id); err != nil {
		return store.Resource{}, err
	}
	return edit(op, seen,
		func() (store.Resource, time.Time, error) {
			r, err := s.store.Resource(ctx, id)
			return r, r.UpdatedAt, err
		},
		func(before store.Resource, version time.Time) (after store.Resource, err error) {
			after = before
			change(&after)
			if err := checkResource(op, after); err != nil {
				return after, err
			}
			if after.Indicator != before.Indicator {
				return after, store.InvalidField(op, "indicator", "cannot be changed: tokens that are out there name it")
			}
			entry := s.book.Entry(by, audit.Record{Kind: "resource.updated", Target: "resource:" + id, Detail: audit.Changes(resourceSeen(before), resourceSeen(after))})
			after.UpdatedAt, err = s.store.UpdateResource(ctx, after, version, entry)
			return after, err
		})
}

// DeleteResource removes a resource with its scopes, if no role has one of them.
func (s *Service) DeleteResource(ctx context.Context, by audit.Actor, id string, seen time.Time) error {
	if err := notBuiltIn("delete resource", id); err != nil {
		return err
	}
	r, err := s.store.Resource(ctx, id)
	if err != nil {
		return err
	}
	return s.store.DeleteResource(ctx, id, seen, s.book.Entry(by, audit.Record{Kind: "resource.deleted", Target: "resource:" + id, Detail: audit.Changes(resourceSeen(r), nil)}))
}

// notBuiltIn keeps the resource of the management API as it is: without it nobody could
// change anything any more.
func notBuiltIn(op, resource string) error {
	if resource == store.ManagementResource {
		return &store.Error{Code: store.InUse, Op: op, Err: errors.New("the resource of the management API is built in, and stays as it is with its scopes")}
	}
	return nil
}

func checkResource(op string, r store.Resource) error {
	if r.AccessTTL < minAccessTTL || r.AccessTTL > maxAccessTTL {
		return store.InvalidField(op, "accessTokenTtl", fmt.Sprintf("is %d s; it is %d to %d", int(r.AccessTTL.Seconds()), int(minAccessTTL.Seconds()), int(maxAccessTTL.Seconds())))
	}
	return checkText(op, "name", r.Name, 1, 128)
}

// checkIndicator checks the URI of a resource (RFC 8707 section 2): absolute, without a
// fragment.
func checkIndicator(op, text string) error {
	const field, most = "indicator", 256
	for _, r := range text {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`"<>\^{|}`+"`", r) {
			return store.InvalidField(op, field, "has a character that no URI has")
		}
	}
	u, err := url.Parse(text)
	switch {
	case len(text) > most:
		return store.InvalidField(op, field, fmt.Sprintf("is longer than %d characters", most))
	case err != nil || u.Scheme == "" || u.Host == "" && u.Opaque == "":
		return store.InvalidField(op, field, "is no absolute URI: write it like https://api.example.com")
	case strings.Contains(text, "#"):
		return store.InvalidField(op, field, "has a fragment, which RFC 8707 rules out")
	case u.User != nil:
		return store.InvalidField(op, field, "has a user name in it")
	case strings.HasPrefix(strings.ToLower(text), "urn:logto:"):
		return store.InvalidField(op, field, "begins with urn:logto:, which has a meaning of its own")
	}
	return nil
}

// resourceSeen is what the audit log tells of a resource.
func resourceSeen(r store.Resource) any {
	return struct {
		Name      string `json:"name"`
		Indicator string `json:"indicator"`
		AccessTTL int    `json:"accessTokenTtl"`
	}{r.Name, r.Indicator, int(r.AccessTTL.Seconds())}
}
