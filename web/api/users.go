package api

import (
	"context"
	"net/http"

	"idp/admin"
	"idp/store"
)

// user is an account as Logto shows it.
type user struct {
	ID            string        `json:"id"`
	Username      *string       `json:"username"`
	PrimaryEmail  *string       `json:"primaryEmail"`
	PrimaryPhone  *string       `json:"primaryPhone" doc:"Always null: people sign in by mail"`
	Name          *string       `json:"name"`
	Avatar        *string       `json:"avatar"`
	CustomData    object        `json:"customData"`
	Identities    nothing       `json:"identities" doc:"Always empty: there are no social connectors"`
	LastSignInAt  *int64        `json:"lastSignInAt" doc:"Milliseconds since 1970; null: not as far back as the audit log goes"`
	CreatedAt     int64         `json:"createdAt" doc:"Milliseconds since 1970"`
	UpdatedAt     int64         `json:"updatedAt" doc:"Milliseconds since 1970"`
	Profile       store.Profile `json:"profile"`
	ApplicationID *string       `json:"applicationId" doc:"In which the account was made"`
	IsSuspended   bool          `json:"isSuspended"`
	HasPassword   bool          `json:"hasPassword" doc:"Always false"`
	SSOIdentities *[]nothing    `json:"ssoIdentities,omitempty" doc:"With includeSsoIdentities; always empty"`
}

type oneUser struct {
	ETag string `header:"ETag"`
	Body user
}

// OfUser is the account that a path is about.
type OfUser struct {
	ID string `path:"id" maxLength:"64"`
}

// PersonFields are what is sent of a person, anew or to be changed.
type PersonFields struct {
	Username   sent[string] `json:"username,omitempty" maxLength:"128" doc:"Letters, digits and underscores; unique"`
	Name       sent[string] `json:"name,omitempty" maxLength:"128"`
	Avatar     sent[string] `json:"avatar,omitempty" doc:"URL of a picture; null or empty: none"`
	CustomData object       `json:"customData,omitempty" doc:"Takes the place of the whole object; 64 KiB at most"`
	Profile    *profile     `json:"profile,omitempty" doc:"Takes the place of the whole profile"`

	PrimaryPhone      foreign `json:"primaryPhone,omitempty"`
	Password          foreign `json:"password,omitempty"`
	PasswordDigest    foreign `json:"passwordDigest,omitempty"`
	PasswordAlgorithm foreign `json:"passwordAlgorithm,omitempty"`
	Identities        foreign `json:"identities,omitempty"`
}

// to puts what was sent where it belongs.
func (p PersonFields) to(op string, u *store.User) error {
	for field, f := range map[string]foreign{"primaryPhone": p.PrimaryPhone, "password": p.Password, "passwordDigest": p.PasswordDigest,
		"passwordAlgorithm": p.PasswordAlgorithm, "identities": p.Identities} {
		if f.given {
			return store.InvalidField(op, field, "is not kept here: people sign in with a code that is mailed to them")
		}
	}
	p.Username.to(&u.Username)
	p.Name.to(&u.Name)
	p.Avatar.to(&u.Avatar)
	if p.CustomData != nil {
		u.CustomData = p.CustomData.compact()
	}
	if p.Profile != nil {
		u.Profile = store.Profile{}
		p.Profile.onto(&u.Profile)
	}
	return nil
}

func (a *API) users() {
	const noun = "users"
	register(a, operation{http.MethodGet, "/users", noun, "List people, newest first, or find them", 0}, a.listUsers)
	register(a, operation{http.MethodPost, "/users", noun, "Make an account", http.StatusOK}, a.createUser)
	register(a, operation{http.MethodGet, "/users/{id}", noun, "Read an account", 0}, a.getUser)
	register(a, operation{http.MethodPatch, "/users/{id}", noun, "Change what is known of a person", 0}, a.patchUser)
	register(a, operation{http.MethodDelete, "/users/{id}", noun, "Delete an account with all that is its own", http.StatusNoContent}, a.deleteUser)
	register(a, operation{http.MethodPatch, "/users/{id}/is-suspended", noun, "Suspend a person, or let them sign in again", 0}, a.suspendUser)
	register(a, operation{http.MethodGet, "/users/{id}/custom-data", noun, "Read a person's custom data", 0}, a.getUserData)
	register(a, operation{http.MethodPatch, "/users/{id}/custom-data", noun, "Change fields of a person's custom data", 0}, a.patchUserData)
	register(a, operation{http.MethodPatch, "/users/{id}/profile", noun, "Change fields of a person's profile", 0}, a.patchProfile)
	a.userSessions()
	a.userOthers()
}

func (a *API) createUser(ctx context.Context, in *struct {
	Body struct {
		PrimaryEmail *string `json:"primaryEmail,omitempty" maxLength:"320" doc:"Needed: people sign in with a code that is mailed there. It counts as verified"`
		PersonFields
	}
}) (*oneUser, error) {
	const op = "create user"
	var u store.User
	if err := in.Body.to(op, &u); err != nil {
		return nil, err
	}
	if in.Body.PrimaryEmail != nil {
		var err error
		if u.Email, err = admin.ParseEmail(op, "primaryEmail", *in.Body.PrimaryEmail); err != nil {
			return nil, err
		}
	}
	return shown(a.Admin.CreateUser(ctx, actor(ctx), u))
}

func (a *API) getUser(ctx context.Context, in *struct {
	OfUser
	SSO string `query:"includeSsoIdentities" enum:"true,false,1,0,yes,no" doc:"Show ssoIdentities, too"`
}) (*oneUser, error) {
	out, err := shown(a.Admin.User(ctx, in.ID))
	if err == nil && (in.SSO == "true" || in.SSO == "1" || in.SSO == "yes") {
		out.Body.SSOIdentities = &[]nothing{}
	}
	return out, err
}

func (a *API) patchUser(ctx context.Context, in *struct {
	OfUser
	Seen
	Body struct {
		PrimaryEmail sent[string] `json:"primaryEmail,omitempty" doc:"They sign in with this address from then on"`
		PersonFields
	}
}) (*oneUser, error) {
	return a.changeUser(ctx, in.ID, in.Seen, func(u *store.User) error {
		const op = "update user"
		if in.Body.PrimaryEmail.Null {
			u.Email = ""
		} else if in.Body.PrimaryEmail.Is {
			var err error
			if u.Email, err = admin.ParseEmail(op, "primaryEmail", in.Body.PrimaryEmail.Value); err != nil {
				return err
			}
		}
		return in.Body.to(op, u)
	})
}

func (a *API) changeUser(ctx context.Context, id string, seen Seen, change func(*store.User) error) (*oneUser, error) {
	version, err := seen.version()
	if err != nil {
		return nil, err
	}
	return shown(a.Admin.UpdateUser(ctx, actor(ctx), id, version, change))
}

func (a *API) deleteUser(ctx context.Context, in *struct {
	OfUser
	Seen
}) (*struct{}, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	return nil, a.Admin.DeleteUser(ctx, actor(ctx), in.ID, version)
}

func (a *API) suspendUser(ctx context.Context, in *struct {
	OfUser
	Seen
	Body struct {
		IsSuspended bool `json:"isSuspended"`
	}
}) (*oneUser, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	return shown(a.Admin.SuspendUser(ctx, actor(ctx), in.ID, version, in.Body.IsSuspended))
}

// oneObject is a part of an account; its ETag is the account's.
type oneObject struct {
	ETag string `header:"ETag"`
	Body object
}

func (a *API) getUserData(ctx context.Context, in *OfUser) (*oneObject, error) {
	u, err := a.Admin.User(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &oneObject{etag(u.UpdatedAt), object(u.CustomData)}, nil
}

func (a *API) patchUserData(ctx context.Context, in *struct {
	OfUser
	Seen
	Body struct {
		CustomData object `json:"customData" doc:"Fields that are in it take the place of those there are; others stay"`
	}
}) (*oneObject, error) {
	out, err := a.changeUser(ctx, in.ID, in.Seen, func(u *store.User) (err error) {
		u.CustomData, err = in.Body.CustomData.over(u.CustomData)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &oneObject{out.ETag, out.Body.CustomData}, nil
}

func (a *API) patchProfile(ctx context.Context, in *struct {
	OfUser
	Seen
	Body struct {
		Profile profile `json:"profile" doc:"Fields that are in it take the place of those there are; others stay; an empty text removes one"`
	}
}) (*struct {
	ETag string `header:"ETag"`
	Body store.Profile
}, error) {
	out, err := a.changeUser(ctx, in.ID, in.Seen, func(u *store.User) error {
		in.Body.Profile.onto(&u.Profile)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &struct {
		ETag string `header:"ETag"`
		Body store.Profile
	}{out.ETag, out.Body.Profile}, nil
}

// shown is the answer to what package admin gives.
func shown(u store.User, err error) (*oneUser, error) {
	if err != nil {
		return nil, err
	}
	return &oneUser{ETag: etag(u.UpdatedAt), Body: showUser(u)}, nil
}

func showUser(u store.User) user {
	email := string(u.Email)
	out := user{ID: u.ID, Username: orNull(u.Username), PrimaryEmail: &email, Name: orNull(u.Name), Avatar: orNull(u.Avatar), CustomData: object(u.CustomData),
		CreatedAt: u.CreatedAt.UnixMilli(), UpdatedAt: u.UpdatedAt.UnixMilli(), Profile: u.Profile, ApplicationID: orNull(u.Client), IsSuspended: !u.SuspendedAt.IsZero()}
	if !u.SignedIn.IsZero() {
		at := u.SignedIn.UnixMilli()
		out.LastSignInAt = &at
	}
	return out
}
