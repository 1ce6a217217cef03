package api

import (
	"context"

	"idp/store"
)

// ResourceScope is a scope as Logto shows it.
type ResourceScope struct {
	Tenant      string  `json:"tenantId"`
	ID          string  `json:"id"`
	Resource    string  `json:"resourceId"`
	Name        string  `json:"name"`
	Description *string `json:"description"`
	CreatedAt   int64   `json:"createdAt" doc:"Milliseconds since 1970"`
}

type oneScope struct {
	ETag string `header:"ETag"`
	Body ResourceScope
}

func (a *API) listScopes(ctx context.Context, in *struct {
	Resource string `path:"resourceId" maxLength:"64"`
	Page
	Sought
}) (*listed[ResourceScope], error) {
	found, total, err := a.Admin.Scopes(ctx, in.Resource, in.listing(in.Page))
	if err != nil {
		return nil, err
	}
	return list(resourcePath(in.Resource, "/scopes"), in.values(), in.Page, showScopes(found), total), nil
}

func (a *API) postScope(ctx context.Context, in *struct {
	Resource string `path:"resourceId" maxLength:"64"`
	Body     struct {
		Name        string       `json:"name" minLength:"1" maxLength:"128" example:"read:orders"`
		Description sent[string] `json:"description,omitempty"`
	}
}) (*oneScope, error) {
	c, err := a.Admin.CreateScope(ctx, actor(ctx), store.Scope{Resource: in.Resource, Name: in.Body.Name, Description: in.Body.Description.Value})
	if err != nil {
		return nil, err
	}
	return showScope(c), nil
}

func (a *API) patchScope(ctx context.Context, in *struct {
	Resource string `path:"resourceId" maxLength:"64"`
	ID       string `path:"scopeId" maxLength:"64"`
	Seen
	Body struct {
		Name        *string      `json:"name,omitempty" minLength:"1" maxLength:"128"`
		Description sent[string] `json:"description,omitempty"`
	}
}) (*oneScope, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	c, err := a.Admin.UpdateScope(ctx, actor(ctx), in.Resource, in.ID, version, func(c *store.Scope) {
		if in.Body.Name != nil {
			c.Name = *in.Body.Name
		}
		in.Body.Description.to(&c.Description)
	})
	if err != nil {
		return nil, err
	}
	return showScope(c), nil
}

func (a *API) deleteScope(ctx context.Context, in *struct {
	Resource string `path:"resourceId" maxLength:"64"`
	ID       string `path:"scopeId" maxLength:"64"`
	Seen
}) (*struct{}, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	return nil, a.Admin.DeleteScope(ctx, actor(ctx), in.Resource, in.ID, version)
}

func showScope(c store.Scope) *oneScope {
	return &oneScope{ETag: etag(c.UpdatedAt), Body: ResourceScope{Tenant: tenant, ID: c.ID, Resource: c.Resource, Name: c.Name,
		Description: orNull(c.Description), CreatedAt: c.CreatedAt.UnixMilli()}}
}

func showScopes(scopes []store.Scope) []ResourceScope {
	out := make([]ResourceScope, len(scopes))
	for i, c := range scopes {
		out[i] = showScope(c).Body
	}
	return out
}

// orNull is null for what is not there.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
