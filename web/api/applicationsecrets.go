package api

import (
	"context"
	"net/http"
	"time"

	"idp/admin"
	"idp/store"
)

// applicationSecret is a secret as Logto shows it.
type applicationSecret struct {
	Tenant      string `json:"tenantId"`
	Application string `json:"applicationId"`
	Name        string `json:"name"`
	Value       string `json:"value" doc:"The secret in the answer to its creation; after that its first four characters, and stars: it is kept as a hash"`
	CreatedAt   int64  `json:"createdAt" doc:"Milliseconds since 1970"`
	ExpiresAt   *int64 `json:"expiresAt" doc:"Milliseconds since 1970; null for never"`
}

type oneSecret struct{ Body applicationSecret }

// noTime stands for never.
var noTime time.Time

func (a *API) applicationSecrets() {
	const noun = "applications"
	register(a, operation{http.MethodGet, "/applications/{id}/secrets", noun, "List the secrets of an application, masked", 0}, a.listSecrets)
	register(a, operation{http.MethodPost, "/applications/{id}/secrets", noun, "Create a secret, which this answer shows and no other", http.StatusCreated}, a.postSecret)
	register(a, operation{http.MethodPatch, "/applications/{id}/secrets/{name}", noun, "Rename a secret", 0}, a.patchSecret)
	register(a, operation{http.MethodDelete, "/applications/{id}/secrets/{name}", noun, "Delete a secret", http.StatusNoContent}, a.deleteSecret)
}

func (a *API) listSecrets(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*struct{ Body []applicationSecret }, error) {
	c, err := a.Admin.Client(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := make([]applicationSecret, len(c.Secrets))
	for i, s := range c.Secrets {
		out[i] = showSecret(in.ID, s, "").Body
	}
	return &struct{ Body []applicationSecret }{out}, nil
}

func (a *API) postSecret(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Name      string      `json:"name" minLength:"1" maxLength:"128"`
		ExpiresAt sent[int64] `json:"expiresAt,omitempty" doc:"Milliseconds since 1970; null, or not there, for never"`
	}
}) (*oneSecret, error) {
	until := noTime
	if in.Body.ExpiresAt.Is && !in.Body.ExpiresAt.Null {
		const most = 253402300799000 // the end of the year 9999
		if in.Body.ExpiresAt.Value <= 0 || in.Body.ExpiresAt.Value > most {
			return nil, store.InvalidField("create secret", "expiresAt", "is no time to come, in milliseconds since 1970")
		}
		until = time.UnixMilli(in.Body.ExpiresAt.Value).UTC()
	}
	text, secret, err := a.Admin.AddSecret(ctx, actor(ctx), in.ID, in.Body.Name, until)
	if err != nil {
		return nil, err
	}
	return showSecret(in.ID, secret, text), nil
}

func (a *API) patchSecret(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Name string `path:"name" maxLength:"512"`
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"128"`
	}
}) (*oneSecret, error) {
	secret, err := a.Admin.RenameSecret(ctx, actor(ctx), in.ID, in.Name, in.Body.Name)
	if err != nil {
		return nil, err
	}
	return showSecret(in.ID, secret, ""), nil
}

func (a *API) deleteSecret(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Name string `path:"name" maxLength:"512"`
}) (*struct{}, error) {
	return nil, a.Admin.RemoveSecret(ctx, actor(ctx), in.ID, in.Name)
}

// showSecret shows a secret; text is the secret itself, "" if it is not known any more.
func showSecret(client string, s store.ClientSecret, text string) *oneSecret {
	out := applicationSecret{Tenant: tenant, Application: client, Name: admin.SecretName(s), Value: text, CreatedAt: s.CreatedAt.UnixMilli()}
	if text == "" {
		out.Value = s.Prefix + "****"
	}
	if !s.ExpiresAt.IsZero() {
		ms := s.ExpiresAt.UnixMilli()
		out.ExpiresAt = &ms
	}
	return &oneSecret{out}
}
