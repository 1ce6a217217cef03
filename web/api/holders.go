package api

import (
	"context"
	"net/http"
	"net/url"

	"idp/store"
)

// roleIDs names roles in a request.
type roleIDs struct {
	Roles []string `json:"roleIds" maxItems:"100" maxLength:"64" pattern:"^[0-9A-Za-z-]*$" patternDescription:"an id"`
}

// rolesAdded answers who was given roles: what was asked for, and what was new of it.
type rolesAdded struct {
	Roles []string `json:"roleIds"`
	Added []string `json:"addedRoleIds"`
}

func (a *API) roleHolders() {
	register(a, operation{http.MethodGet, "/roles/{id}/users", "roles", "List the users who have a role", 0}, a.listRoleUsers)
	register(a, operation{http.MethodPost, "/roles/{id}/users", "roles", "Give users a role", http.StatusCreated}, a.postRoleUsers)
	register(a, operation{http.MethodDelete, "/roles/{id}/users/{userId}", "roles", "Take a role from a user", http.StatusNoContent}, a.deleteRoleUser)
	register(a, operation{http.MethodGet, "/roles/{id}/applications", "roles", "List the applications that have a role", 0}, a.listRoleApplications)
	register(a, operation{http.MethodPost, "/roles/{id}/applications", "roles", "Give applications a role", http.StatusCreated}, a.postRoleApplications)
	register(a, operation{http.MethodDelete, "/roles/{id}/applications/{applicationId}", "roles", "Take a role from an application", http.StatusNoContent}, a.deleteRoleApplication)
	register(a, operation{http.MethodGet, "/users/{userId}/roles", "users", "List the roles of a user", 0}, a.listUserRoles)
	register(a, operation{http.MethodPost, "/users/{userId}/roles", "users", "Give a user roles", http.StatusCreated}, a.postUserRoles)
	register(a, operation{http.MethodPut, "/users/{userId}/roles", "users", "Give a user exactly these roles", 0}, a.putUserRoles)
	register(a, operation{http.MethodDelete, "/users/{userId}/roles/{roleId}", "users", "Take a role from a user", http.StatusNoContent}, a.deleteUserRole)
	register(a, operation{http.MethodGet, "/applications/{applicationId}/roles", "applications", "List the roles of an application", 0}, a.listApplicationRoles)
	register(a, operation{http.MethodPost, "/applications/{applicationId}/roles", "applications", "Give an application roles", http.StatusCreated}, a.postApplicationRoles)
	register(a, operation{http.MethodPut, "/applications/{applicationId}/roles", "applications", "Give an application exactly these roles", 0}, a.putApplicationRoles)
	register(a, operation{http.MethodDelete, "/applications/{applicationId}/roles/{roleId}", "applications", "Take a role from an application", http.StatusNoContent}, a.deleteApplicationRole)
}

type userIDs struct {
	Users []string `json:"userIds" minItems:"1" maxItems:"100" maxLength:"64" pattern:"^[0-9A-Za-z-]*$" patternDescription:"an id"`
}

func (a *API) listRoleUsers(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Page
}) (*listed[user], error) {
	found, total, err := a.Admin.RoleUsers(ctx, in.ID, store.Listing{Skip: in.offset(), Limit: in.Size})
	if err != nil {
		return nil, err
	}
	users, err := a.holders(ctx, found)
	if err != nil {
		return nil, err
	}
	out := make([]user, len(users))
	for i, u := range users {
		out[i] = showUser(u)
	}
	return list(rolePath(in.ID, "/users"), nil, in.Page, out, total), nil
}

// holders reads people; who was deleted meanwhile is left out.
func (a *API) holders(ctx context.Context, ids []string) (out []store.User, err error) {
	for _, id := range ids {
		u, err := a.Admin.User(ctx, id)
		switch {
		case store.CodeOf(err) == store.NotFound:
		case err != nil:
			return nil, err
		default:
			out = append(out, u)
		}
	}
	return out, nil
}

func (a *API) postRoleUsers(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body userIDs
}) (*struct{ Body userIDs }, error) {
	if _, err := a.Admin.Role(ctx, in.ID); err != nil {
		return nil, err
	}
	return &struct{ Body userIDs }{in.Body}, a.Admin.AddUserRoles(ctx, actor(ctx), in.Body.Users, []string{in.ID})
}

func (a *API) deleteRoleUser(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	User string `path:"userId" maxLength:"64"`
}) (*struct{}, error) {
	return nil, a.Admin.RemoveUserRole(ctx, actor(ctx), in.User, in.ID)
}

func (a *API) listRoleApplications(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Page
	Sought
}) (*listed[application], error) {
	found, total, err := a.Admin.RoleClients(ctx, in.ID, in.listing(in.Page))
	if err != nil {
		return nil, err
	}
	return list(rolePath(in.ID, "/applications"), in.values(), in.Page, showApplications(found), total), nil
}

type applicationIDs struct {
	Applications []string `json:"applicationIds" minItems:"1" maxItems:"100" maxLength:"64" pattern:"^[0-9A-Za-z-]*$" patternDescription:"an id"`
}

func (a *API) postRoleApplications(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body applicationIDs
}) (*struct{ Body applicationIDs }, error) {
	if _, err := a.Admin.Role(ctx, in.ID); err != nil {
		return nil, err
	}
	return &struct{ Body applicationIDs }{in.Body}, a.Admin.AddClientRoles(ctx, actor(ctx), in.Body.Applications, []string{in.ID})
}

func (a *API) deleteRoleApplication(ctx context.Context, in *struct {
	ID          string `path:"id" maxLength:"64"`
	Application string `path:"applicationId" maxLength:"64"`
}) (*struct{}, error) {
	return nil, a.Admin.RemoveClientRole(ctx, actor(ctx), in.Application, in.ID)
}

func (a *API) listUserRoles(ctx context.Context, in *struct {
	User string `path:"userId" maxLength:"64"`
	Page
	Sought
}) (*listed[Role], error) {
	found, total, err := a.Admin.UserRoles(ctx, in.User, in.listing(in.Page))
	if err != nil {
		return nil, err
	}
	return list("/users/"+url.PathEscape(in.User)+"/roles", in.values(), in.Page, showRoles(found), total), nil
}

func (a *API) postUserRoles(ctx context.Context, in *struct {
	User string `path:"userId" maxLength:"64"`
	Body roleIDs
}) (*struct{ Body rolesAdded }, error) {
	had, _, err := a.Admin.UserRoles(ctx, in.User, store.Listing{Limit: store.MaxCount})
	if err != nil {
		return nil, err
	}
	return added(had, in.Body.Roles), a.Admin.AddUserRoles(ctx, actor(ctx), []string{in.User}, in.Body.Roles)
}

func (a *API) putUserRoles(ctx context.Context, in *struct {
	User string `path:"userId" maxLength:"64"`
	Body roleIDs
}) (*struct{ Body roleIDs }, error) {
	return &struct{ Body roleIDs }{in.Body}, a.Admin.SetUserRoles(ctx, actor(ctx), in.User, in.Body.Roles)
}

func (a *API) deleteUserRole(ctx context.Context, in *struct {
	User string `path:"userId" maxLength:"64"`
	Role string `path:"roleId" maxLength:"64"`
}) (*struct{}, error) {
	return nil, a.Admin.RemoveUserRole(ctx, actor(ctx), in.User, in.Role)
}

func (a *API) listApplicationRoles(ctx context.Context, in *struct {
	Application string `path:"applicationId" maxLength:"64"`
	Page
	Sought
}) (*listed[Role], error) {
	found, total, err := a.Admin.ClientRoles(ctx, in.Application, in.listing(in.Page))
	if err != nil {
		return nil, err
	}
	return list(applicationPath(in.Application, "/roles"), in.values(), in.Page, showRoles(found), total), nil
}

func (a *API) postApplicationRoles(ctx context.Context, in *struct {
	Application string `path:"applicationId" maxLength:"64"`
	Body        roleIDs
}) (*struct{ Body rolesAdded }, error) {
	had, _, err := a.Admin.ClientRoles(ctx, in.Application, store.Listing{Limit: store.MaxCount})
	if err != nil {
		return nil, err
	}
	return added(had, in.Body.Roles), a.Admin.AddClientRoles(ctx, actor(ctx), []string{in.Application}, in.Body.Roles)
}

func (a *API) putApplicationRoles(ctx context.Context, in *struct {
	Application string `path:"applicationId" maxLength:"64"`
	Body        roleIDs
}) (*struct{ Body roleIDs }, error) {
	return &struct{ Body roleIDs }{in.Body}, a.Admin.SetClientRoles(ctx, actor(ctx), in.Application, in.Body.Roles, noTime)
}

func (a *API) deleteApplicationRole(ctx context.Context, in *struct {
	Application string `path:"applicationId" maxLength:"64"`
	Role        string `path:"roleId" maxLength:"64"`
}) (*struct{}, error) {
	return nil, a.Admin.RemoveClientRole(ctx, actor(ctx), in.Application, in.Role)
}

// added is what of roles is not there before.
func added(had []store.Role, asked []string) *struct{ Body rolesAdded } {
	has := map[string]bool{}
	for _, r := range had {
		has[r.ID] = true
	}
	out := &struct{ Body rolesAdded }{rolesAdded{asked, []string{}}}
	for _, id := range asked {
		if !has[id] {
			out.Body.Added = append(out.Body.Added, id)
			has[id] = true
		}
	}
	return out
}
