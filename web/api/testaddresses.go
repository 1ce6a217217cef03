package api

import (
	"context"
	"net/http"
	"time"

	"idp/admin"
)

func (a *API) testAddresses() {
	const path, noun = "/test-addresses", "test-addresses" // no role has scopes of that name: it takes all
	register(a, operation{http.MethodGet, path, noun, "List the addresses whose code is always the same", 0}, a.listTestAddresses)
	register(a, operation{http.MethodPost, path, noun, "Give an address a code that is always the same, until a time: whoever knows both is in", http.StatusCreated}, a.setTestAddress)
	register(a, operation{http.MethodDelete, path + "/{address}", noun, "Send codes to an address again, as to any other", http.StatusNoContent}, a.deleteTestAddress)
}

func (a *API) listTestAddresses(ctx context.Context, _ *struct{}) (*struct{ Body []admin.TestAddress }, error) {
	all, err := a.Admin.TestAddresses(ctx)
	return &struct{ Body []admin.TestAddress }{all}, err
}

func (a *API) setTestAddress(ctx context.Context, in *struct {
	Body struct {
		Email string    `json:"email" maxLength:"320"`
		Code  string    `json:"code" maxLength:"10" doc:"Digits, as many as codes have (IDP_OTP_DIGITS)"`
		Until time.Time `json:"until" doc:"At most 90 days ahead"`
	}
}) (*struct{ Body admin.TestAddress }, error) {
	t, err := a.Admin.SetTestAddress(ctx, actor(ctx), in.Body.Email, in.Body.Code, in.Body.Until)
	return &struct{ Body admin.TestAddress }{t}, err
}

func (a *API) deleteTestAddress(ctx context.Context, in *struct {
	Address string `path:"address" maxLength:"320"`
}) (*struct{}, error) {
	return nil, a.Admin.RemoveTestAddress(ctx, actor(ctx), in.Address)
}
