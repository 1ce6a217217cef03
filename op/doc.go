// Package op is the OpenID Provider: it validates authorization requests, mints
// tokens, keeps the signing keys and answers for what a token stands for.
//
// It knows nothing of pages, codes and mails. An authorization request that needs
// a person goes to [Pages]; the proof that a person gives there comes back as a
// challenge id, for which [Provider.Finish] derives what is written and where the
// browser goes.
//
// # States of an authorization request
//
//	request ──► refused by a page       client or redirect URI not known to be good
//	   │
//	   ├──────► refused by redirect     error, error_description, state, iss
//	   │
//	   ├──────► answered from a session code, state, iss        (one script)
//	   │
//	   └──────► page ──► sealed in r ──► proof ──► Finish ──► code, state, iss
//	                        │   │          (in the transaction that takes the proof)
//	                        │   └──► Cancel ──► error=access_denied
//	                        └──► 1 h: restarts in place; 24 h: gone
//
//	code ──► redeemed once, within 60 s ──► grant with an access token (1 h)
//	   └───► presented again by its client ──► the grant is revoked
//
// Nothing is stored before the proof: the validated request travels sealed in
// the URL parameter r, bound to the browser that brought it.
//
// # Routes
//
//	GET, POST /oidc/auth                            authorize.go   page or redirect; POST becomes GET
//	POST      /oidc/token                           token.go       through the library's router
//	GET, POST /oidc/me                              userinfo.go    through the library's router
//	GET       /oidc/jwks                            document.go    static bytes, ETag
//	GET       /oidc/.well-known/openid-configuration document.go   static bytes, ETag
//	*         /oidc/…                               404 as JSON
//
// Refresh tokens, revocation, introspection, sign-out and the device flow are not
// here yet; discovery names only what is.
//
// # What zitadel/oidc does here
//
// The token and userinfo endpoints are methods of its op.Server interface
// (server.go), so that grants to come are one method each. In front of it stand
// our own checks (front.go): methods, sizes, duplicate parameters, secrets in the
// query; and behind it the error writer (errors.go). By the time the library sees
// a request nothing in it can make the library log what a caller sent. The
// authorize endpoint does not go through it: the library answers an authorization
// request by a redirect to a login page and logs URLs that carry the state.
// The library logs every refusal once, through slog.Default: cmd/idp sets that.
package op
