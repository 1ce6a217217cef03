package store

import (
	"slices"
	"strings"
	"time"
)

// Resource is an API that apps protect with our access tokens (RFC 8707).
type Resource struct {
	ID                   string // 21 characters of [0-9A-Za-z]
	Name                 string
	Indicator            string        // absolute URI without a fragment: the audience of its tokens
	AccessTTL            time.Duration // of its access tokens
	CreatedAt, UpdatedAt time.Time
}

// Scope is something that may be done at a resource. It is granted only through a role.
type Scope struct {
	ID                   string // 21 characters of [0-9A-Za-z]
	Resource             string // id
	Name                 string // a scope-token (RFC 6749 section 3.3), unique within the resource
	Description          string
	CreatedAt, UpdatedAt time.Time
}

// The management API is a resource like any other, but for what is fixed about it.
const (
	ManagementResource  = "management-api" // id of the resource
	ManagementScope     = "management-api-all"
	ManagementRole      = "management-api"
	ManagementIndicator = "https://default.logto.app/api" // as in Logto, whatever the endpoint is
)

// ScopeAll is the scope of the management API that covers everything.
const ScopeAll = "all"

// Covers tells whether scopes of the management API let somebody do what needs one; who may
// write may read.
func Covers(scopes []string, needed string) bool {
	noun, what, _ := strings.Cut(needed, ":")
	return slices.Contains(scopes, ScopeAll) || slices.Contains(scopes, needed) || what == "read" && slices.Contains(scopes, noun+":write")
}
