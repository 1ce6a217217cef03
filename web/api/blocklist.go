package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"idp/admin"
	"idp/store"
)

// blocked is an entry of the block list of addresses. Logto has the list in the
// experience only, where a client that adds one entry has to send them all.
type blocked struct {
	Pattern string `json:"pattern" minLength:"2" maxLength:"254" doc:"ada@example.com, @example.com, ada*@example.com or @*.example.com"`
}

const blocklistPath = "/sign-in-exp/email-blocklist"

func (a *API) blocklist() {
	register(a, operation{http.MethodGet, blocklistPath, "sign-in-exp", "List the addresses and domains that cannot register", 0}, a.listBlocked)
	register(a, operation{http.MethodPost, blocklistPath, "sign-in-exp", "Add an address or domain to the block list", http.StatusCreated}, a.addBlocked)
	register(a, operation{http.MethodDelete, blocklistPath + "/{pattern}", "sign-in-exp", "Take an address or domain off the block list", http.StatusNoContent}, a.deleteBlocked)
}

func (a *API) listBlocked(ctx context.Context, in *struct {
	Search string `query:"search" maxLength:"254" doc:"Part of an entry"`
	Page
}) (*listed[blocked], error) {
	e, err := a.Admin.Experience(ctx)
	if err != nil {
		return nil, err
	}
	var found []blocked
	for _, pattern := range e.Addresses.Block {
		if strings.Contains(pattern, strings.ToLower(in.Search)) {
			found = append(found, blocked{pattern})
		}
	}
	slices.SortFunc(found, func(a, b blocked) int { return strings.Compare(a.Pattern, b.Pattern) })
	query := url.Values{}
	if in.Search != "" {
		query.Set("search", in.Search)
	}
	from := min(in.offset(), len(found))
	return list(blocklistPath, query, in.Page, found[from:min(from+in.Size, len(found))], len(found)), nil
}

func (a *API) addBlocked(ctx context.Context, in *struct{ Body blocked }) (*struct{ Body blocked }, error) {
	pattern, err := admin.AddressPattern("pattern", in.Body.Pattern)
	if err != nil {
		return nil, err
	}
	_, err = a.changeBlocked(ctx, func(list []string) ([]string, error) {
		if slices.Contains(list, pattern) {
			return list, nil
		}
		return append(list, pattern), nil
	})
	if err != nil {
		return nil, err
	}
	return &struct{ Body blocked }{blocked{pattern}}, nil
}

func (a *API) deleteBlocked(ctx context.Context, in *struct {
	Pattern string `path:"pattern" maxLength:"254"`
}) (*struct{}, error) {
	missing := &store.Error{Code: store.NotFound, Op: "unblock address"}
	pattern, err := admin.AddressPattern("pattern", in.Pattern)
	if err != nil {
		return nil, missing
	}
	_, err = a.changeBlocked(ctx, func(list []string) ([]string, error) {
		i := slices.Index(list, pattern)
		if i < 0 {
			return nil, missing
		}
		return slices.Delete(list, i, i+1), nil
	})
	return nil, err
}

func (a *API) changeBlocked(ctx context.Context, change func([]string) ([]string, error)) (store.Experience, error) {
	anyVersion := time.Time{} // entries do not hang on each other
	return a.Admin.UpdateExperience(ctx, actor(ctx), anyVersion, func(e *store.Experience) (err error) {
		e.Addresses.Block, err = change(e.Addresses.Block)
		return err
	})
}
