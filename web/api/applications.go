package api

import (
	"context"
	"net/http"
	"net/url"

	"idp/store"
)

// application is a client as Logto shows it.
type application struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description *string         `json:"description"`
	Type        string          `json:"type" enum:"Traditional,SPA,Native,MachineToMachine"`
	OIDC        applicationOIDC `json:"oidcClientMetadata"`
	CreatedAt   int64           `json:"createdAt" doc:"Milliseconds since 1970"`
}

type applicationOIDC struct {
	RedirectURIs           []string `json:"redirectUris"`
	PostLogoutRedirectURIs []string `json:"postLogoutRedirectUris"`
}

type oneApplication struct {
	ETag string `header:"ETag"`
	Body application
}

func (a *API) applications() {
	register(a, operation{http.MethodGet, "/applications/{id}", "applications", "Read an application", 0}, a.getApplication)
	register(a, operation{http.MethodPatch, "/applications/{id}", "applications", "Change an application", 0}, a.patchApplication)
	register(a, operation{http.MethodDelete, "/applications/{id}", "applications", "Delete an application", http.StatusNoContent}, a.deleteApplication)
}

func (a *API) getApplication(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*oneApplication, error) {
	c, err := a.Admin.Client(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return showApplication(c), nil
}

func (a *API) patchApplication(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Seen
	Body struct {
		Name        *string      `json:"name,omitempty" minLength:"1" maxLength:"128"`
		Description sent[string] `json:"description,omitempty"`
	}
}) (*oneApplication, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	c, err := a.Admin.UpdateClient(ctx, actor(ctx), in.ID, version, func(c *store.Client) error {
		if in.Body.Name != nil {
			c.Name = *in.Body.Name
		}
		in.Body.Description.to(&c.Description)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return showApplication(c), nil
}

func (a *API) deleteApplication(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Seen
}) (*struct{}, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	return nil, a.Admin.DeleteClient(ctx, actor(ctx), in.ID, version)
}

// applicationTypes are Logto's names of the types.
var applicationTypes = map[store.ClientType]string{store.Traditional: "Traditional", store.SPA: "SPA", store.Native: "Native", store.Machine: "MachineToMachine"}

// applicationPath is where the things of an application are.
func applicationPath(id, rest string) string { return "/applications/" + url.PathEscape(id) + rest }

func showApplications(clients []store.Client) []application {
	out := make([]application, len(clients))
	for i, c := range clients {
		out[i] = showApplication(c).Body
	}
	return out
}

func showApplication(c store.Client) *oneApplication {
	out := application{ID: c.ID, Name: c.Name, Type: applicationTypes[c.Type], CreatedAt: c.CreatedAt.UnixMilli(),
		OIDC: applicationOIDC{c.RedirectURIs, c.PostLogoutRedirectURIs}}
	if c.Description != "" {
		out.Description = &c.Description
	}
	return &oneApplication{ETag: etag(c.UpdatedAt), Body: out}
}
