package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"idp/store"
)

// resource is one as Logto shows it.
type resource struct {
	Tenant    string           `json:"tenantId"`
	ID        string           `json:"id"`
	Name      string           `json:"name"`
	Indicator string           `json:"indicator" doc:"The audience of its access tokens (RFC 8707)"`
	Default   bool             `json:"isDefault" doc:"Always false: every app names the resource that it wants a token for"`
	AccessTTL int              `json:"accessTokenTtl" doc:"Seconds that its access tokens live"`
	Scopes    *[]ResourceScope `json:"scopes,omitempty"`
}

type oneResource struct {
	ETag string `header:"ETag"`
	Body resource
}

func (a *API) resources() {
	const noun = "resources"
	register(a, operation{http.MethodGet, "/resources", noun, "List API resources", 0}, a.listResources)
	register(a, operation{http.MethodPost, "/resources", noun, "Create an API resource", http.StatusCreated}, a.postResource)
	register(a, operation{http.MethodGet, "/resources/{id}", noun, "Read an API resource", 0}, a.getResource)
	register(a, operation{http.MethodPatch, "/resources/{id}", noun, "Change an API resource", 0}, a.patchResource)
	register(a, operation{http.MethodDelete, "/resources/{id}", noun, "Delete an API resource with its scopes", http.StatusNoContent}, a.deleteResource)
	register(a, operation{http.MethodPatch, "/resources/{id}/is-default", noun, "Make an API resource the default, which none can be", 0}, a.patchResourceDefault)
	register(a, operation{http.MethodGet, "/resources/{resourceId}/scopes", noun, "List the scopes of an API resource", 0}, a.listScopes)
	register(a, operation{http.MethodPost, "/resources/{resourceId}/scopes", noun, "Create a scope", http.StatusCreated}, a.postScope)
	register(a, operation{http.MethodPatch, "/resources/{resourceId}/scopes/{scopeId}", noun, "Change a scope", 0}, a.patchScope)
	register(a, operation{http.MethodDelete, "/resources/{resourceId}/scopes/{scopeId}", noun, "Delete a scope", http.StatusNoContent}, a.deleteScope)
}

func (a *API) listResources(ctx context.Context, in *struct {
	Page
	Sought
	Scopes string `query:"includeScopes" enum:"true,false,1,0," doc:"true: with the scopes of each"`
}) (*listed[resource], error) {
	found, total, err := a.Admin.Resources(ctx, in.listing(in.Page))
	if err != nil {
		return nil, err
	}
	with := in.Scopes == "true" || in.Scopes == "1"
	query := in.values()
	out := make([]resource, len(found))
	for i, r := range found {
		out[i] = showResource(r).Body
		if !with {
			continue
		}
		scopes, _, err := a.Admin.Scopes(ctx, r.ID, store.Listing{Limit: store.MaxCount})
		if err != nil {
			return nil, err
		}
		shown := showScopes(scopes)
		out[i].Scopes = &shown
	}
	if with {
		query.Set("includeScopes", "true")
	}
	return list("/resources", query, in.Page, out, total), nil
}

func (a *API) postResource(ctx context.Context, in *struct {
	Body struct {
		Name      string `json:"name" minLength:"1" maxLength:"128"`
		Indicator string `json:"indicator" minLength:"1" maxLength:"256" example:"https://api.example.com"`
		AccessTTL int    `json:"accessTokenTtl,omitempty" minimum:"60" maximum:"86400" doc:"Seconds; 3600 if it is not there"`
	}
}) (*oneResource, error) {
	r, err := a.Admin.CreateResource(ctx, actor(ctx), store.Resource{Name: in.Body.Name, Indicator: in.Body.Indicator, AccessTTL: time.Duration(in.Body.AccessTTL) * time.Second})
	if err != nil {
		return nil, err
	}
	out := showResource(r)
	out.Body.Scopes = &[]ResourceScope{}
	return out, nil
}

func (a *API) getResource(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*oneResource, error) {
	r, err := a.Admin.Resource(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return showResource(r), nil
}

func (a *API) patchResource(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Seen
	Body struct {
		Name      *string `json:"name,omitempty" minLength:"1" maxLength:"128"`
		AccessTTL *int    `json:"accessTokenTtl,omitempty" minimum:"60" maximum:"86400"`
	}
}) (*oneResource, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	r, err := a.Admin.UpdateResource(ctx, actor(ctx), in.ID, version, func(r *store.Resource) {
		if in.Body.Name != nil {
			r.Name = *in.Body.Name
		}
		if in.Body.AccessTTL != nil {
			r.AccessTTL = time.Duration(*in.Body.AccessTTL) * time.Second
		}
	})
	if err != nil {
		return nil, err
	}
	return showResource(r), nil
}

func (a *API) deleteResource(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Seen
}) (*struct{}, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	return nil, a.Admin.DeleteResource(ctx, actor(ctx), in.ID, version)
}

func (a *API) patchResourceDefault(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Default bool `json:"isDefault"`
	}
}) (*oneResource, error) {
	r, err := a.Admin.Resource(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if in.Body.Default {
		return nil, store.InvalidField("set default resource", "isDefault", "cannot be true: apps name the resource that they want a token for")
	}
	return showResource(r), nil
}

func showResource(r store.Resource) *oneResource {
	return &oneResource{ETag: etag(r.UpdatedAt), Body: resource{Tenant: tenant, ID: r.ID, Name: r.Name, Indicator: r.Indicator, AccessTTL: int(r.AccessTTL.Seconds())}}
}

// resourcePath is where the things of a resource are.
func resourcePath(id, rest string) string { return "/resources/" + url.PathEscape(id) + rest }
