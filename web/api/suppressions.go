package api

import (
	"context"
	"net/http"
	"net/url"

	"idp/admin"
	"idp/store"
	"idp/store/address"
)

type oneSuppression struct{ Body admin.Suppression }

const suppressionsPath = "/suppressions"

func (a *API) suppressions() {
	const noun = "connectors" // whose mails they are about
	register(a, operation{http.MethodGet, suppressionsPath, noun, "List the addresses that take no mail, newest first", 0}, a.listSuppressions)
	register(a, operation{http.MethodPost, suppressionsPath, noun, "Send no more mail to an address: nobody can sign in with it", http.StatusCreated}, a.addSuppression)
	register(a, operation{http.MethodGet, suppressionsPath + "/{address}", noun, "Tell why an address takes no mail", 0}, a.getSuppression)
	register(a, operation{http.MethodDelete, suppressionsPath + "/{address}", noun, "Send mail to an address again", http.StatusNoContent}, a.deleteSuppression)
}

func (a *API) listSuppressions(ctx context.Context, in *struct {
	Full bool `query:"full" doc:"Show whole addresses"`
	Further
}) (*followed[admin.Suppression], error) {
	found, err := a.Admin.Suppressions(ctx, in.Before, in.Size, in.Full)
	if err != nil {
		return nil, badPlace(err)
	}
	query := url.Values{}
	if in.Full {
		query.Set("full", "true")
	}
	return follow(suppressionsPath, query, in.Further, found, func(s admin.Suppression) string { return s.Cursor }), nil
}

func (a *API) addSuppression(ctx context.Context, in *struct {
	Body struct {
		Address string `json:"address" maxLength:"320"`
		Note    string `json:"note,omitempty" maxLength:"200" doc:"Why, for those who look later"`
	}
}) (*oneSuppression, error) {
	to, err := readEmail("body.address", in.Body.Address)
	if err != nil {
		return nil, err
	}
	if err := a.Admin.Suppress(ctx, actor(ctx), to, in.Body.Note); err != nil {
		return nil, err
	}
	return a.suppression(ctx, to)
}

func (a *API) getSuppression(ctx context.Context, in *struct {
	Address string `path:"address" maxLength:"320"`
}) (*oneSuppression, error) {
	to, err := address.Parse(in.Address)
	if err != nil {
		return nil, notSuppressed()
	}
	return a.suppression(ctx, to)
}

func (a *API) deleteSuppression(ctx context.Context, in *struct {
	Address string `path:"address" maxLength:"320"`
}) (*struct{}, error) {
	to, err := address.Parse(in.Address)
	if err != nil {
		return nil, notSuppressed()
	}
	return nil, a.Admin.LiftSuppression(ctx, actor(ctx), to)
}

func (a *API) suppression(ctx context.Context, to store.Email) (*oneSuppression, error) {
	s, err := a.Admin.Suppression(ctx, to)
	if err != nil {
		return nil, err
	}
	return &oneSuppression{s}, nil
}

// notSuppressed is the answer to what is no address: it is not on the list.
func notSuppressed() error { return &store.Error{Code: store.NotFound, Op: "read suppressed address"} }
