// Command bench measures complete sign-ins, or the endpoints that an app lives on,
// against the real program; or the mail queue.
//
//	go run ./bench                       SQLite, then Postgres
//	go run ./bench -db postgres -best-of 5
//	go run ./bench -json > figures.json
//	go run ./bench -endpoints -duration 5s -warmup 1s
//	go run ./bench -mails 20000
//	go run ./bench -soak 30m
//	go run ./bench -db postgres -filled 1000000
//	go run ./bench -db postgres -replicas 1,2,4
//	go run ./bench -purge 1000000
//	go run ./bench -console -people 1000000 -events 10000000
//	go run ./bench -profile bench/idp.pgo
//
// It builds ./cmd/idp as a release is built, with the profile bench/idp.pgo, makes a throw-away database (for Postgres a throw-away
// cluster with fsync on), registers the accounts through the sign-up pages, and then
// lets -clients users sign in as fast as they can, each again and again as a new
// browser:
//
//	GET  /oidc/auth     the page with the address form      step "authorize"
//	POST /sign-in       the address; answered by a 303      step "address"
//	GET  /verify        the page with the code form         step "code page"
//	     the mail       posted by the http connector        step "mail"
//	POST /verify        the code; 303 to the application    step "verify"
//	POST /oidc/token    code, PKCE verifier, client secret  step "token"
//	GET  /oidc/me       the access token                    step "userinfo"
//
// Style sheets and scripts are left out: a browser keeps them. Everything else is as
// a browser does it, and what comes back is checked: state, issuer, subject and
// address. Any answer that is not the expected one ends the run with an error,
// so the figures are of sign-ins that worked.
//
// The limits are on, with room enough that the load of one machine does not spend
// them: they cost what they cost in production. Those per network are off, since
// all load comes from one address, unless -ip-limits gives each account its own
// network through X-Forwarded-For.
//
// With -endpoints, everybody signs in once to a confidential client and once to a
// public one, and then the same users ask one endpoint after the other, each with
// grants of their own:
//
//	POST /oidc/token                 a refresh token: once that of the confidential
//	                                 client, which stays, once that of the public
//	                                 one, which is replaced each time
//	                                 a machine's credentials, for the management API
//	GET  /oidc/me                    the newest access token
//	POST /oidc/token/introspection   the same
//	GET  /oidc/.well-known/openid-configuration, without If-None-Match
//	GET  /oidc/jwks                  likewise
//	POST /oidc/token/revocation      an access token; the same one many times, which
//	                                 costs the same statements and the same write
//
// With -mails, the real store and queue run in this process, and the fake SES, which
// takes 50 ms a mail, in another one: mails one at a time, 500 a second handed over as
// they are committed, a number of waiting mails as fast as they go, and a backlog after an
// outage. The CPU per mail is that of the third: claiming, opening, wording, signing,
// sending, logging and settling, without the challenge that a mail comes with.
//
// With -soak, sign-ins are due at half the rate that the machine reached at full load (or at
// -rate a second), whether or not the earlier ones are done. A line at least every minute tells
// what the server holds, from /proc and from its metrics; in the end the last third of the
// lines is compared with the first, and what grew, or a sign-in that failed, is an error.
//
// With -filled, so many accounts with a session, a grant, a known browser, a mail and two entries
// of the audit log each, and every tenth with a challenge, an authorization code and a budget, are
// written into the database by SQL (fill.go) before sign-ins are measured. Those who sign in are the
// registered ones, as without; their addresses lie all over the index.
//
// With -replicas, so many servers run on one Postgres behind HAProxy with deploy/proxy's
// configuration, less TLS, and all sign-ins go through it, each user's on connections of their own.
//
// With -purge, sign-ins are measured first with nothing to remove, and then, after expired challenges,
// mails, sessions and budgets were written and the server was started again, from when it has begun to
// remove them; sign-ins go on until all are gone.
//
// With -console, a Postgres is filled with people and entries of the audit log, an owner
// signs in to the console, and each page that its links lead to is asked for again and again,
// one request at a time: what is told is the time from the request to the last byte.
//
// With -profile, the server profiles itself while people sign in, and what both engines' profiles say is
// written for the compiler. Nothing of the machine is in the file; a test holds that.
//
// Driver, server and database share the machine, so sign-ins per second say as
// much about the driver as about the server. CPU per sign-in is the figure to
// watch; it is read from /proc for each process apart. docs/performance.md has the
// budget and the figures.
package main
