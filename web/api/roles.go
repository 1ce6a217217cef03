package api

import (
	"context"
	"net/http"
	"net/url"

	"idp/store"
)

// Role is one as Logto shows it.
type Role struct {
	Tenant      string         `json:"tenantId"`
	ID          string         `json:"id"`
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Type        store.RoleType `json:"type" enum:"User,MachineToMachine"`
	Default     bool           `json:"isDefault" doc:"Who registers has it"`
}

type oneRole struct {
	ETag string `header:"ETag"`
	Body Role
}

// heldRole is a role in the list, with some of those who have it.
type heldRole struct {
	Role
	Users       int               `json:"usersCount" doc:"10001 if there are more than 10000"`
	SomeUsers   []roleUser        `json:"featuredUsers"`
	Clients     int               `json:"applicationsCount" doc:"10001 if there are more than 10000"`
	SomeClients []roleApplication `json:"featuredApplications"`
}

type roleUser struct {
	ID     string  `json:"id"`
	Avatar *string `json:"avatar"`
	Name   *string `json:"name"`
}

type roleApplication struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

func (a *API) roles() {
	const noun = "roles"
	register(a, operation{http.MethodGet, "/roles", noun, "List roles", 0}, a.listRoles)
	register(a, operation{http.MethodPost, "/roles", noun, "Create a role", 0}, a.postRole)
	register(a, operation{http.MethodGet, "/roles/{id}", noun, "Read a role", 0}, a.getRole)
	register(a, operation{http.MethodPatch, "/roles/{id}", noun, "Change a role", 0}, a.patchRole)
	register(a, operation{http.MethodDelete, "/roles/{id}", noun, "Delete a role that nobody has", http.StatusNoContent}, a.deleteRole)
	register(a, operation{http.MethodGet, "/roles/{id}/scopes", noun, "List the scopes of a role", 0}, a.listRoleScopes)
	register(a, operation{http.MethodPost, "/roles/{id}/scopes", noun, "Give a role scopes", http.StatusCreated}, a.postRoleScopes)
	register(a, operation{http.MethodDelete, "/roles/{id}/scopes/{scopeId}", noun, "Take a scope from a role", http.StatusNoContent}, a.deleteRoleScope)
	a.roleHolders()
}

func (a *API) listRoles(ctx context.Context, in *struct {
	Page
	Sought
	Type      store.RoleType `query:"type" enum:"User,MachineToMachine,"`
	NotUser   string         `query:"excludeUserId" maxLength:"64" doc:"Only roles that this user does not have"`
	NotClient string         `query:"excludeApplicationId" maxLength:"64" doc:"Only roles that this application does not have"`
}) (*listed[heldRole], error) {
	found, total, err := a.Admin.Roles(ctx, store.RoleListing{Listing: in.listing(in.Page), Type: in.Type, NotUser: in.NotUser, NotClient: in.NotClient})
	if err != nil {
		return nil, err
	}
	out := make([]heldRole, len(found))
	for i, r := range found {
		holders, err := a.Admin.RoleHolders(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		users, err := a.holders(ctx, holders.SomeUsers)
		if err != nil {
			return nil, err
		}
		out[i] = showHeld(r, holders, users)
	}
	query := in.values()
	for name, value := range map[string]string{"type": string(in.Type), "excludeUserId": in.NotUser, "excludeApplicationId": in.NotClient} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return list("/roles", query, in.Page, out, total), nil
}

func (a *API) postRole(ctx context.Context, in *struct {
	Body struct {
		Name        string         `json:"name" minLength:"1" maxLength:"128"`
		Description string         `json:"description,omitempty" maxLength:"256"`
		Type        store.RoleType `json:"type,omitempty" enum:"User,MachineToMachine" doc:"User if it is not there"`
		Default     bool           `json:"isDefault,omitempty"`
		Scopes      []string       `json:"scopeIds,omitempty" maxItems:"200" maxLength:"64" pattern:"^[0-9A-Za-z-]*$" patternDescription:"an id"`
	}
}) (*oneRole, error) {
	b := in.Body
	r, err := a.Admin.CreateRole(ctx, actor(ctx), store.Role{Name: b.Name, Description: b.Description, Type: b.Type, Default: b.Default}, b.Scopes)
	if err != nil {
		return nil, err
	}
	return showRole(r), nil
}

func (a *API) getRole(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*oneRole, error) {
	r, err := a.Admin.Role(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return showRole(r), nil
}

func (a *API) patchRole(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Seen
	Body struct {
		Name        *string `json:"name,omitempty" minLength:"1" maxLength:"128"`
		Description *string `json:"description,omitempty" maxLength:"256"`
		Default     *bool   `json:"isDefault,omitempty"`
	}
}) (*oneRole, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	r, err := a.Admin.UpdateRole(ctx, actor(ctx), in.ID, version, func(r *store.Role) {
		if in.Body.Name != nil {
			r.Name = *in.Body.Name
		}
		if in.Body.Description != nil {
			r.Description = *in.Body.Description
		}
		if in.Body.Default != nil {
			r.Default = *in.Body.Default
		}
	})
	if err != nil {
		return nil, err
	}
	return showRole(r), nil
}

func (a *API) deleteRole(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Seen
}) (*struct{}, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	return nil, a.Admin.DeleteRole(ctx, actor(ctx), in.ID, version)
}

func (a *API) listRoleScopes(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Page
	Sought
}) (*listed[roleScope], error) {
	found, total, err := a.Admin.RoleScopes(ctx, in.ID, in.listing(in.Page))
	if err != nil {
		return nil, err
	}
	out := make([]roleScope, len(found))
	for i, c := range found {
		r, err := a.Admin.Resource(ctx, c.Resource)
		if err != nil {
			return nil, err
		}
		out[i] = roleScope{showScope(c).Body, showResource(r).Body}
	}
	return list(rolePath(in.ID, "/scopes"), in.values(), in.Page, out, total), nil
}

// roleScope is a scope with the resource that it is of.
type roleScope struct {
	ResourceScope
	Of resource `json:"resource"`
}

func (a *API) postRoleScopes(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Scopes []string `json:"scopeIds" minItems:"1" maxItems:"200" maxLength:"64" pattern:"^[0-9A-Za-z-]*$" patternDescription:"an id"`
	}
}) (*struct{ Body []ResourceScope }, error) {
	if err := a.Admin.AddRoleScopes(ctx, actor(ctx), in.ID, in.Body.Scopes); err != nil {
		return nil, err
	}
	scopes, _, err := a.Admin.RoleScopes(ctx, in.ID, store.Listing{Limit: store.MaxCount})
	return &struct{ Body []ResourceScope }{showScopes(scopes)}, err
}

func (a *API) deleteRoleScope(ctx context.Context, in *struct {
	ID    string `path:"id" maxLength:"64"`
	Scope string `path:"scopeId" maxLength:"64"`
}) (*struct{}, error) {
	return nil, a.Admin.RemoveRoleScope(ctx, actor(ctx), in.ID, in.Scope)
}

func showRole(r store.Role) *oneRole {
	return &oneRole{ETag: etag(r.UpdatedAt), Body: Role{tenant, r.ID, r.Name, r.Description, r.Type, r.Default}}
}

func showRoles(roles []store.Role) []Role {
	out := make([]Role, len(roles))
	for i, r := range roles {
		out[i] = showRole(r).Body
	}
	return out
}

func showHeld(r store.Role, h store.RoleHolders, users []store.User) heldRole {
	out := heldRole{Role: showRole(r).Body, Users: h.Users, Clients: h.Clients, SomeUsers: []roleUser{}, SomeClients: []roleApplication{}}
	for _, u := range users {
		out.SomeUsers = append(out.SomeUsers, roleUser{u.ID, orNull(u.Avatar), orNull(u.Name)})
	}
	for _, c := range h.SomeClients {
		out.SomeClients = append(out.SomeClients, roleApplication{c.ID, c.Name, applicationTypes[c.Type]})
	}
	return out
}

// rolePath is where the things of a role are.
func rolePath(id, rest string) string { return "/roles/" + url.PathEscape(id) + rest }
