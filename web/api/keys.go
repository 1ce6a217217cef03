package api

import (
	"context"
	"net/http"

	"idp/store"
)

// signingKey is a key that signs tokens, as Logto shows it. Its private half is never shown.
type signingKey struct {
	ID        string `json:"id"`
	CreatedAt int64  `json:"createdAt" doc:"Seconds since 1970"`
	Kind      string `json:"signingKeyAlgorithm" enum:"RSA,EC,OKP"`
	Algorithm string `json:"algorithm" enum:"ES256,RS256,ES384,EdDSA"`
	Status    string `json:"status" enum:"Current,Previous"`
}

type manyKeys struct{ Body []signingKey }

// KeyType is the part of the path that says which keys; it is exported for the document's
// maker.
type KeyType struct {
	KeyType string `path:"keyType" enum:"private-keys,cookie-keys" doc:"There are no cookie-keys: what cookies hold is sealed under the instance's secret"`
}

func (a *API) keys() {
	const noun = "configs"
	register(a, operation{http.MethodGet, "/configs/oidc/{keyType}", noun, "List the keys that sign tokens", 0}, a.listKeys)
	register(a, operation{http.MethodPost, "/configs/oidc/{keyType}/rotate", noun, "Sign with new keys", 0}, a.rotateKeys)
	register(a, operation{http.MethodDelete, "/configs/oidc/{keyType}/{keyId}", noun, "Delete a key that does not sign any more", http.StatusNoContent}, a.deleteKey)
}

func (k KeyType) none() bool { return k.KeyType != "private-keys" }

func (a *API) listKeys(ctx context.Context, in *struct{ KeyType }) (*manyKeys, error) {
	if in.none() {
		return showKeys(nil), nil
	}
	found, err := a.Admin.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	return showKeys(found), nil
}

func (a *API) rotateKeys(ctx context.Context, in *struct {
	KeyType
	Body *struct {
		Kind *string `json:"signingKeyAlgorithm,omitempty" enum:"RSA,EC" doc:"Only keys of this kind; else all that sign"`
	} `required:"false"`
}) (*manyKeys, error) {
	if in.none() {
		return nil, noCookieKeys()
	}
	found, err := a.Admin.RotateSigningKeys(ctx, actor(ctx), func(alg string) bool {
		return in.Body == nil || in.Body.Kind == nil || kindOf(alg) == *in.Body.Kind
	})
	if err != nil {
		return nil, err
	}
	return showKeys(found), nil
}

func (a *API) deleteKey(ctx context.Context, in *struct {
	KeyType
	ID string `path:"keyId" maxLength:"64"`
}) (*struct{}, error) {
	if in.none() {
		return nil, &store.Error{Code: store.NotFound, Op: "delete key"}
	}
	return nil, a.Admin.DeleteSigningKey(ctx, actor(ctx), in.ID)
}

func noCookieKeys() error {
	return &problem{status: http.StatusUnprocessableEntity, Code: "entity.invalid_input", Message: "There are no cookie keys: cookies are sealed under the instance's secret, which is changed with IDP_SECRET and IDP_SECRET_PREVIOUS.",
		Data: []problemField{{"path.keyType", "private-keys can be rotated"}}}
}

func kindOf(alg string) string {
	switch alg {
	case "RS256":
		return "RSA"
	case "EdDSA":
		return "OKP"
	}
	return "EC"
}

func showKeys(found []store.SigningKey) *manyKeys {
	out := &manyKeys{Body: []signingKey{}}
	for _, k := range found {
		status := "Current"
		if !k.RetiredAt.IsZero() {
			status = "Previous"
		}
		out.Body = append(out.Body, signingKey{k.ID, k.CreatedAt.Unix(), kindOf(k.Alg), k.Alg, status})
	}
	return out
}
