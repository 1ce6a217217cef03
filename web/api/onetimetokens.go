package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"idp/admin"
	"idp/store"
	"idp/store/address"
)

// oneTimeToken is a one-time token as Logto shows it.
type oneTimeToken struct {
	TenantID  string              `json:"tenantId" example:"default"`
	ID        string              `json:"id"`
	Email     string              `json:"email"`
	Token     string              `json:"token" doc:"The token, in the answer that makes it; empty in all others: only its hash is kept"`
	Context   oneTimeTokenContext `json:"context"`
	Status    string              `json:"status" enum:"active,consumed,revoked,expired"`
	CreatedAt int64               `json:"createdAt" doc:"Milliseconds since 1970"`
	ExpiresAt int64               `json:"expiresAt" doc:"Milliseconds since 1970"`
}

type oneTimeTokenContext struct {
	JITOrganizationIDs []string `json:"jitOrganizationIds,omitempty" maxItems:"0" doc:"There are no organizations here"`
	InteractionEvent   string   `json:"interactionEvent,omitempty" enum:"SignIn,Register,ForgotPassword" doc:"ForgotPassword: the token recovers the account, and ends all that is signed in to it; else it signs in, or registers who has no account"`
}

type oneOneTimeToken struct{ Body oneTimeToken }

func (a *API) oneTimeTokens() {
	const noun = "one-time-tokens"
	register(a, operation{http.MethodGet, "/one-time-tokens", noun, "List one-time tokens, newest first", 0}, a.listOneTimeTokens)
	register(a, operation{http.MethodPost, "/one-time-tokens", noun, "Make a one-time token", http.StatusCreated}, a.postOneTimeToken)
	register(a, operation{http.MethodPost, "/one-time-tokens/verify", noun, "Use a one-time token up", 0}, a.verifyOneTimeToken)
	register(a, operation{http.MethodGet, "/one-time-tokens/{id}", noun, "Read a one-time token", 0}, a.getOneTimeToken)
	register(a, operation{http.MethodDelete, "/one-time-tokens/{id}", noun, "Delete a one-time token", http.StatusNoContent}, a.deleteOneTimeToken)
	register(a, operation{http.MethodPut, "/one-time-tokens/{id}/status", noun, "Use up or revoke a one-time token", 0}, a.putOneTimeTokenStatus)
}

func (a *API) listOneTimeTokens(ctx context.Context, in *struct {
	Page
	Email  string `query:"email" maxLength:"320"`
	Status string `query:"status" enum:"active,consumed,revoked,expired"`
}) (*listed[oneTimeToken], error) {
	q := store.TokenQuery{Status: store.TokenStatus(in.Status), Offset: in.offset(), Limit: in.Size, Count: maxCount + 1}
	query := url.Values{}
	if in.Email != "" {
		email, err := readEmail("query.email", in.Email)
		if err != nil {
			return nil, err
		}
		q.Email = email
		query.Set("email", in.Email)
	}
	if in.Status != "" {
		query.Set("status", in.Status)
	}
	tokens, total, err := a.Admin.OneTimeTokens(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]oneTimeToken, len(tokens))
	for i, t := range tokens {
		out[i] = a.showOneTimeToken(t, "")
	}
	return list("/one-time-tokens", query, in.Page, out, total), nil
}

func (a *API) postOneTimeToken(ctx context.Context, in *struct {
	Body struct {
		Email     string              `json:"email" minLength:"1" maxLength:"320"`
		Context   oneTimeTokenContext `json:"context,omitempty"`
		ExpiresIn int64               `json:"expiresIn,omitempty" minimum:"1" maximum:"2592000" default:"600" doc:"Seconds"`
	}
}) (*oneOneTimeToken, error) {
	email, err := readEmail("body.email", in.Body.Email)
	if err != nil {
		return nil, err
	}
	c := store.TokenContext{Event: in.Body.Context.InteractionEvent}
	t, token, err := a.Admin.CreateOneTimeToken(ctx, actor(ctx), email, c, time.Duration(in.Body.ExpiresIn)*time.Second)
	if err != nil {
		return nil, err
	}
	return &oneOneTimeToken{a.showOneTimeToken(t, token)}, nil
}

func (a *API) getOneTimeToken(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*oneOneTimeToken, error) {
	t, err := a.Admin.OneTimeToken(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &oneOneTimeToken{a.showOneTimeToken(t, "")}, nil
}

func (a *API) deleteOneTimeToken(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*struct{}, error) {
	return nil, a.Admin.DeleteOneTimeToken(ctx, actor(ctx), in.ID)
}

func (a *API) verifyOneTimeToken(ctx context.Context, in *struct {
	Body struct {
		Token string `json:"token" minLength:"1" maxLength:"256"`
		Email string `json:"email" minLength:"1" maxLength:"320"`
	}
}) (*oneOneTimeToken, error) {
	email, err := readEmail("body.email", in.Body.Email)
	if err != nil {
		return nil, err
	}
	t, err := a.Admin.VerifyOneTimeToken(ctx, actor(ctx), in.Body.Token, email)
	return a.endedToken(t, err)
}

func (a *API) putOneTimeTokenStatus(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Status string `json:"status" enum:"consumed,revoked" doc:"A token that was ended does not come back, and expires by itself"`
	}
}) (*oneOneTimeToken, error) {
	end := a.Admin.ConsumeOneTimeToken
	if in.Body.Status == string(store.TokenRevoked) {
		end = a.Admin.RevokeOneTimeToken
	}
	t, err := end(ctx, actor(ctx), in.ID)
	return a.endedToken(t, err)
}

// endedToken answers with a token that has just been ended, or says, by Logto's codes, why
// it could not be.
func (a *API) endedToken(t store.OneTimeToken, err error) (*oneOneTimeToken, error) {
	no := func(code, message string) error {
		return &problem{status: http.StatusBadRequest, Code: "one_time_token." + code, Message: message}
	}
	switch {
	case err == nil:
		return &oneOneTimeToken{a.showOneTimeToken(t, "")}, nil
	case store.CodeOf(err) == store.NotFound:
		return nil, &problem{status: http.StatusNotFound, Code: "one_time_token.token_not_found", Message: "There is no such token."}
	case errors.Is(err, admin.ErrOtherAddress):
		return nil, no("email_mismatch", "The token was made for another address.")
	case store.CodeOf(err) == store.Used:
		switch a.Admin.TokenStatus(t) {
		case store.TokenRevoked:
			return nil, no("token_revoked", "The token was revoked.")
		case store.TokenExpired:
			return nil, no("token_expired", "The token has expired.")
		}
		return nil, no("token_consumed", "The token was used before.")
	}
	return nil, err
}

func (a *API) showOneTimeToken(t store.OneTimeToken, token string) oneTimeToken {
	out := oneTimeToken{TenantID: tenant, ID: t.ID, Email: string(t.Email), Token: token, Status: string(a.Admin.TokenStatus(t)),
		CreatedAt: t.CreatedAt.UnixMilli(), ExpiresAt: t.ExpiresAt.UnixMilli()}
	out.Context.InteractionEvent = t.Event()
	return out
}

// tenant is the one that Logto's answers name: there is one here.
const tenant = "default"

// readEmail reads an address; field is where it stands.
func readEmail(field, text string) (store.Email, error) {
	email, err := address.Parse(text)
	if err != nil {
		return "", &problem{status: http.StatusUnprocessableEntity, Code: "entity.invalid_input", Message: "What was sent does not fit: " + field + ": is no mail address.",
			Data: []problemField{{field, "is no mail address"}}}
	}
	return email, nil
}
