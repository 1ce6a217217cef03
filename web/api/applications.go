package api

import (
	"context"
	"net/http"
	"net/url"

	"idp/admin"
	"idp/store"
)

// application is a client as Logto shows it.
type application struct {
	Tenant      string            `json:"tenantId"`
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Secret      *string           `json:"secret,omitempty" doc:"In the answer to its creation only: it is kept as a hash"`
	Description *string           `json:"description"`
	Type        string            `json:"type" enum:"Traditional,SPA,Native,MachineToMachine"`
	OIDC        applicationOIDC   `json:"oidcClientMetadata"`
	Custom      applicationCustom `json:"customClientMetadata"`
	Protected   null              `json:"protectedAppMetadata"`
	CustomData  object            `json:"customData"`
	ThirdParty  bool              `json:"isThirdParty" doc:"Always false"`
	Restricted  bool              `json:"appLevelAccessControlEnabled" doc:"Always false"`
	CreatedAt   int64             `json:"createdAt" doc:"Milliseconds since 1970"`
}

type oneApplication struct {
	ETag string `header:"ETag"`
	Body application
}

// applicationTypes are Logto's names of the types.
var applicationTypes = map[store.ClientType]string{store.Traditional: "Traditional", store.SPA: "SPA", store.Native: "Native", store.Machine: "MachineToMachine"}

func (a *API) applications() {
	const noun = "applications"
	register(a, operation{http.MethodGet, "/applications", noun, "List applications", 0}, a.listApplications)
	register(a, operation{http.MethodPost, "/applications", noun, "Create an application", 0}, a.postApplication)
	register(a, operation{http.MethodGet, "/applications/{id}", noun, "Read an application", 0}, a.getApplication)
	register(a, operation{http.MethodPatch, "/applications/{id}", noun, "Change an application", 0}, a.patchApplication)
	register(a, operation{http.MethodDelete, "/applications/{id}", noun, "Delete an application: its codes, grants and tokens end at once", http.StatusNoContent}, a.deleteApplication)
	register(a, operation{http.MethodPatch, "/applications/{applicationId}/custom-data", noun, "Change the custom data of an application", 0}, a.patchApplicationData)
	a.applicationSecrets()
	a.applicationExperience()
}

func (a *API) listApplications(ctx context.Context, in *struct {
	Page
	Sought
	Types      []string `query:"types,explode" maxItems:"6" enum:"Native,SPA,Traditional,MachineToMachine,Protected,SAML" doc:"Only these types; may be there several times"`
	NotRole    string   `query:"excludeRoleId" maxLength:"64" doc:"Only applications that do not have this role"`
	ThirdParty string   `query:"isThirdParty" enum:"true,false," doc:"true: none, for there are none"`
}) (*listed[application], error) {
	l := store.ClientListing{Listing: in.listing(in.Page), NotRole: in.NotRole}
	for _, t := range in.Types {
		l.Types = append(l.Types, clientType(t))
	}
	query := in.values()
	for _, t := range in.Types {
		query.Add("types", t)
	}
	if in.NotRole != "" {
		query.Set("excludeRoleId", in.NotRole)
	}
	if in.ThirdParty == "true" {
		query.Set("isThirdParty", "true")
		return list("/applications", query, in.Page, []application{}, 0), nil
	}
	found, total, err := a.Admin.Clients(ctx, l)
	if err != nil {
		return nil, err
	}
	return list("/applications", query, in.Page, showApplications(found), total), nil
}

func (a *API) postApplication(ctx context.Context, in *struct {
	Body struct {
		Name        string                  `json:"name" minLength:"1" maxLength:"128"`
		Description sent[string]            `json:"description,omitempty"`
		Type        string                  `json:"type" enum:"Native,SPA,Traditional,MachineToMachine,Protected,SAML" doc:"Protected and SAML are refused"`
		OIDC        *applicationOIDCGiven   `json:"oidcClientMetadata,omitempty"`
		Custom      *applicationCustomGiven `json:"customClientMetadata,omitempty"`
		CustomData  object                  `json:"customData,omitempty"`
		ThirdParty  bool                    `json:"isThirdParty,omitempty"`
	}
}) (*oneApplication, error) {
	b := in.Body
	c := store.Client{Name: b.Name, Description: b.Description.Value, Type: clientType(b.Type), PKCE: b.Type != "MachineToMachine", CustomData: b.CustomData.compact()}
	switch {
	case c.Type == "":
		return nil, store.InvalidField("create application", "type", "is "+b.Type+", which there is none of here: Native, SPA, Traditional or MachineToMachine")
	case b.ThirdParty:
		return nil, store.InvalidField("create application", "isThirdParty", "cannot be true: there is no page that asks for consent")
	}
	if err := b.OIDC.onto(&c); err != nil {
		return nil, err
	}
	if err := b.Custom.onto(&c); err != nil {
		return nil, err
	}
	secret := ""
	if c.Type.Confidential() {
		text, kept := a.Admin.NewSecret(admin.DefaultSecret, noTime)
		secret, c.Secrets = text, []store.ClientSecret{kept}
	}
	made, err := a.Admin.CreateClient(ctx, actor(ctx), c, nil)
	if err != nil {
		return nil, err
	}
	out := showApplication(made)
	out.Body.Secret = &secret
	return out, nil
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
		Name        *string                 `json:"name,omitempty" minLength:"1" maxLength:"128"`
		Description sent[string]            `json:"description,omitempty"`
		OIDC        *applicationOIDCGiven   `json:"oidcClientMetadata,omitempty"`
		Custom      *applicationCustomGiven `json:"customClientMetadata,omitempty"`
		CustomData  object                  `json:"customData,omitempty" doc:"Takes the place of the whole object; 64 KiB at most"`
		ThirdParty  bool                    `json:"isThirdParty,omitempty"`
	}
}) (*oneApplication, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	b := in.Body
	if b.ThirdParty {
		return nil, store.InvalidField("update application", "isThirdParty", "cannot be true: there is no page that asks for consent")
	}
	c, err := a.Admin.UpdateClient(ctx, actor(ctx), in.ID, version, func(c *store.Client) error {
		if b.Name != nil {
			c.Name = *b.Name
		}
		b.Description.to(&c.Description)
		if b.CustomData != nil {
			c.CustomData = b.CustomData.compact()
		}
		if err := b.OIDC.onto(c); err != nil {
			return err
		}
		return b.Custom.onto(c)
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

func (a *API) patchApplicationData(ctx context.Context, in *struct {
	ID string `path:"applicationId" maxLength:"64"`
	Seen
	Body object
}) (*struct {
	ETag string `header:"ETag"`
	Body object
}, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	c, err := a.Admin.UpdateClient(ctx, actor(ctx), in.ID, version, func(c *store.Client) (err error) {
		c.CustomData, err = in.Body.over(c.CustomData)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &struct {
		ETag string `header:"ETag"`
		Body object
	}{etag(c.UpdatedAt), object(c.CustomData)}, nil
}

// clientType reads Logto's name of a type, "" for one that there is none of here.
func clientType(name string) store.ClientType {
	for kind, n := range applicationTypes {
		if n == name {
			return kind
		}
	}
	return ""
}

func showApplication(c store.Client) *oneApplication {
	return &oneApplication{ETag: etag(c.UpdatedAt), Body: application{Tenant: tenant, ID: c.ID, Name: c.Name, Description: orNull(c.Description),
		Type: applicationTypes[c.Type], OIDC: applicationOIDC{orEmpty(c.RedirectURIs), orEmpty(c.PostLogoutRedirectURIs)}, Custom: showCustom(c),
		CustomData: object(c.CustomData), CreatedAt: c.CreatedAt.UnixMilli()}}
}

func showApplications(clients []store.Client) []application {
	out := make([]application, len(clients))
	for i, c := range clients {
		out[i] = showApplication(c).Body
	}
	return out
}

// applicationPath is where the things of an application are.
func applicationPath(id, rest string) string { return "/applications/" + url.PathEscape(id) + rest }
