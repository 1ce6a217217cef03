package op

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"

	"idp/store"
)

// maxIndicator bounds a resource indicator.
const maxIndicator = 2 << 10

// badTarget is RFC 8707 section 2.
func badTarget(description string) *oidc.Error {
	return &oidc.Error{ErrorType: invalidTarget, Description: description}
}

// target is the resource that a token is asked for, the zero one if none is named. A
// token is for one: its audience is a string.
func (p *Provider) target(ctx context.Context, indicators []string) (store.Resource, error) {
	indicator := ""
	for _, i := range indicators {
		switch {
		case i == "" || i == indicator:
		case indicator != "":
			return store.Resource{}, badTarget("a token is for one API resource: ask for one after the other")
		default:
			indicator = i
		}
	}
	if indicator == "" {
		return store.Resource{}, nil
	}
	return p.resource(ctx, indicator)
}

// resource finds a resource by its indicator.
func (p *Provider) resource(ctx context.Context, indicator string) (store.Resource, error) {
	if len(indicator) > maxIndicator || !isText(indicator) {
		return store.Resource{}, noResource()
	}
	r, err := p.store.ResourceAt(ctx, indicator)
	if store.CodeOf(err) == store.NotFound {
		return r, noResource()
	}
	if err != nil {
		return r, answerable(err)
	}
	return r, nil
}

func noResource() *oidc.Error { return badTarget("there is no such API resource") }

// organizationsURN is what Logto's SDKs name as a resource when they ask for organizations.
const organizationsURN = "urn:logto:resource:organizations"

// maxResources bounds the resources of one authorization request.
const maxResources = 20

// takeResources reads the resources that an authorization request asks access for (RFC 8707
// section 2.1), and the scopes that it asks for there. Which of them the person's roles
// allow is seen when a token is issued, each time anew.
func (p *Provider) takeResources(ctx context.Context, form url.Values, a *authorization) error {
	asked := strings.Fields(form.Get("scope"))
	for _, indicator := range form["resource"] {
		if indicator == "" || indicator == organizationsURN || slices.Contains(a.Resources, indicator) {
			continue
		}
		if len(a.Resources) == maxResources {
			return a.deny(invalidTarget, "there are too many resources")
		}
		resource, err := p.resource(ctx, indicator)
		var refused *oidc.Error
		switch {
		case errors.As(err, &refused) && refused.ErrorType == invalidTarget:
			return a.deny(invalidTarget, refused.Description)
		case err != nil:
			return err
		}
		has, err := p.store.ScopesOf(ctx, resource.ID)
		if err != nil {
			return err
		}
		a.Resources = append(a.Resources, indicator)
		for _, scope := range has {
			if slices.Contains(asked, scope) && !slices.Contains(a.Scopes, scope) {
				a.Scopes = append(a.Scopes, scope)
			}
		}
	}
	return nil
}

// noOrganization refuses tokens of organizations: Logto answers 403 to those who are no
// members of one, and here nobody is.
func noOrganization(form url.Values) error {
	if form.Get("organization_id") == "" {
		return nil
	}
	return zitadel.NewStatusError(oidc.ErrAccessDenied().WithDescription("the client or person is not a member of this organization"), http.StatusForbidden)
}
