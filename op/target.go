package op

import (
	"context"
	"net/http"
	"net/url"

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

// noOrganization refuses tokens of organizations: Logto answers 403 to those who are no
// members of one, and here nobody is.
func noOrganization(form url.Values) error {
	if form.Get("organization_id") == "" {
		return nil
	}
	return zitadel.NewStatusError(oidc.ErrAccessDenied().WithDescription("the client or person is not a member of this organization"), http.StatusForbidden)
}
