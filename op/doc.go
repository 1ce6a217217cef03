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
//	code ──► redeemed once, within 60 s ──► grant with an access token (1 h),
//	   │                                      and a refresh token if it may last
//	   └───► presented again by its client ──► the grant is revoked
//
// Nothing is stored before the proof: the validated request travels sealed in
// the URL parameter r, bound to the browser that brought it. Where a session is there,
// but it is for its person to say whether to go on with it, Choose comes before the
// first page, and [Provider.Continue] after it.
//
// # States of a refresh token
//
//	live ──► presented ──► live still           a confidential client's, while it is young
//	            └────────► replaced             its successor is live
//	replaced ──► presented within 10 s          the same successor
//	         └─► later                          the grant is revoked: two hold it
//
// It ends with 14 days of no use, after 90 days, with its grant, account or client,
// and, unless offline_access was granted, with the session.
//
// # Access tokens for a resource
//
//	machine ──► client_credentials, resource ──┐   its roles, from the cache
//	code, refresh token ──► resource ──────────┤   what the sign-in asked for, and the person's
//	            (one that the request asked for)   roles allow as they are now
//	                                           └─► JWT (RFC 9068), of which nothing is kept
//
// Without a resource a person's access token is opaque and good for userinfo; a machine has
// none. [Provider.Machine] is what the management API asks of a token.
//
// # States of a sign-out
//
//	request ──► nobody is signed in ─────────────────► back to the app, or SignedOut
//	   ├──────► surely the person's own wish ──► ends ──► the same
//	   └──────► AskSignOut ──► sealed in o ──► ends ──► the same
//
// # Routes
//
//	GET, POST /oidc/auth                            authorize.go   page or redirect; POST becomes GET
//	POST      /oidc/token                           token.go, refresh.go, machine.go   through the library's router
//	POST      /oidc/token/revocation                tokens.go      through the library's router
//	POST      /oidc/token/introspection             tokens.go      through the library's router
//	GET, POST /oidc/me                              userinfo.go    through the library's router
//	GET, POST /oidc/session/end                     endsession.go  page or redirect; POST becomes GET
//	GET       /oidc/jwks                            document.go    static bytes, ETag
//	GET       /oidc/.well-known/openid-configuration document.go   static bytes, ETag
//	*         /oidc/…                               404 as JSON
//
// # What zitadel/oidc does here
//
// The endpoints for programs are methods of its op.Server interface (server.go), so
// that grants to come are one method each. In front of it stand
// our own checks (front.go): methods, sizes, duplicate parameters, secrets in the
// query; and behind it the error writer (errors.go). By the time the library sees
// a request nothing in it can make the library log what a caller sent. The
// authorize endpoint does not go through it: the library answers an authorization
// request by a redirect to a login page and logs URLs that carry the state.
// The library logs every refusal once, through slog.Default: cmd/idp sets that.
package op
