package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"idp/audit"
	"idp/store"
	"idp/web/serve"
)

// Tokens reads access tokens.
type Tokens interface {
	// Machine reads a JWT access token (RFC 9068) that a machine-to-machine client got for
	// itself with this audience. The error is [store.Invalid] if the token is anything else,
	// [store.Unavailable] if that cannot be known now.
	Machine(ctx context.Context, token, audience string) (client string, scopes []string, err error)
}

// scope is the narrow one that covers an operation.
func (o operation) scope() string {
	if o.method == http.MethodGet || o.method == http.MethodHead {
		return o.noun + ":read"
	}
	return o.noun + ":write"
}

// authenticate lets calls with a token of this API through, and says who calls.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	r, w := humachi.Unwrap(ctx)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	needed, ok := ctx.Operation().Metadata["scope"].(string)
	if !ok { // public
		next(ctx)
		return
	}
	client, scopes, err := a.caller(r)
	switch {
	case err != nil:
		p := a.problemOf(r.Context(), err)
		if p.status == http.StatusUnauthorized {
			h.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			if r.Header.Get("Authorization") == "" {
				h.Set("WWW-Authenticate", "Bearer")
			}
		}
		a.write(ctx, p)
		return
	case !store.Covers(scopes, needed):
		h.Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+needed+`"`)
		a.write(ctx, &problem{status: http.StatusForbidden, Code: "auth.forbidden", Message: "The token has none of the scopes that this takes: " + store.ScopeAll + " or " + needed + "."})
		return
	}
	by := audit.Actor{ID: clientPrefix + client, IP: a.ClientIP(r), Agent: agent(r), Request: serve.RequestID(r.Context()), Scopes: scopes}
	next(huma.WithValue(ctx, actorKey{}, by))
}

func (a *API) caller(r *http.Request) (client string, scopes []string, err error) {
	header := r.Header.Values("Authorization")
	if len(header) == 0 {
		return "", nil, &problem{status: http.StatusUnauthorized, Code: "auth.authorization_header_missing", Message: "There is no Authorization header: send an access token as Authorization: Bearer."}
	}
	scheme, token, _ := strings.Cut(header[0], " ")
	if len(header) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return "", nil, &problem{status: http.StatusUnauthorized, Code: "auth.authorization_token_type_not_supported", Message: "The Authorization header is not one Bearer token."}
	}
	client, scopes, err = a.Tokens.Machine(r.Context(), strings.TrimSpace(token), store.ManagementIndicator)
	if store.CodeOf(err) == store.Invalid {
		return "", nil, &problem{status: http.StatusUnauthorized, Code: "auth.unauthorized", Message: "The token is expired, or none of a machine-to-machine application for " + store.ManagementIndicator + "."}
	}
	return client, scopes, err
}

// clientPrefix begins the name of an actor that is a client.
const clientPrefix = "client:"

type actorKey struct{}

// actor is who calls.
func actor(ctx context.Context) audit.Actor {
	by, ok := ctx.Value(actorKey{}).(audit.Actor)
	if !ok {
		panic(errors.New("a handler that changes something was reached without a caller"))
	}
	return by
}

// agent is the program that calls, cut to what is worth keeping.
func agent(r *http.Request) string {
	const most = 128
	text := strings.ToValidUTF8(r.UserAgent(), "")
	return text[:min(len(text), most)]
}
