package api

import (
	"context"
	"net/http"
)

// What Logto keeps of people and does not exist here is always the same: clients that ask
// for it are told so.

// nothing is what lists of what does not exist are of.
type nothing struct{}

type passwordBody struct {
	HasPassword bool `json:"hasPassword" doc:"Always false"`
}

type identitiesBody struct {
	Social []nothing `json:"socialIdentities" doc:"Always empty"`
	SSO    []nothing `json:"ssoIdentities" doc:"Always empty"`
}

type noneOfUser struct {
	Body []nothing `doc:"Always empty"`
}

func (a *API) userOthers() {
	const noun = "users"
	register(a, operation{http.MethodGet, "/users/{id}/has-password", noun, "Tell whether a person has a password", 0}, a.getHasPassword)
	register(a, operation{http.MethodGet, "/users/{id}/all-identities", noun, "List a person's accounts elsewhere", 0}, a.listIdentities)
	register(a, operation{http.MethodGet, "/users/{id}/organizations", noun, "List a person's organizations", 0}, a.listNoneOfUser)
	register(a, operation{http.MethodGet, "/users/{id}/mfa-verifications", noun, "List a person's second factors", 0}, a.listNoneOfUser)
}

func (a *API) getHasPassword(ctx context.Context, in *OfUser) (*struct{ Body passwordBody }, error) {
	_, err := a.Admin.User(ctx, in.ID)
	return &struct{ Body passwordBody }{}, err
}

func (a *API) listIdentities(ctx context.Context, in *struct {
	OfUser
	Secret string `query:"includeTokenSecret" enum:"true,false,1,0,yes,no" doc:"Of what there is none"`
}) (*struct{ Body identitiesBody }, error) {
	_, err := a.Admin.User(ctx, in.ID)
	return &struct{ Body identitiesBody }{identitiesBody{[]nothing{}, []nothing{}}}, err
}

func (a *API) listNoneOfUser(ctx context.Context, in *OfUser) (*noneOfUser, error) {
	_, err := a.Admin.User(ctx, in.ID)
	return &noneOfUser{[]nothing{}}, err
}
