// Package api is the management API at /api, with Logto's paths and shapes: what clients
// written for Logto's call, they call here.
//
// # How a call goes
//
//	request ──► no bearer token, or not for this API ──► 401
//	   ├──────► its scopes do not cover the operation ─► 403
//	   ├──────► query, path or body are not what the document says ─► 400, with each field
//	   └──────► handler ──► package admin ──► the answer, or an error by its code (problem.go)
//
// Handlers have no rule of their own: they read, call package admin, and write. The document
// (OpenAPI 3.1) at /api/swagger.json is made of the same Go types that requests are read
// into and answers are written from, so neither can be without the other.
//
// # Where things are
//
//	api.go       what it is made of, the routes
//	document.go  what the document says beyond the types
//	auth.go      tokens and scopes
//	readable.go  texts that can be none of ours
//	problem.go   errors
//	page.go      lists in pages
//	sought.go    searching in them
//	version.go   ETag and If-Match
//	sent.go      fields that may be absent, null or a value
//	object.go    fields that are an object of the operator's
//	NOUN.go      the operations of one noun
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"idp/admin"
)

// Path is where all is.
const Path = "/api"

// MaxBody bounds what a request may carry.
const MaxBody = 1 << 20

// Deps is what the API is made of.
type Deps struct {
	Admin    *admin.Service
	Tokens   Tokens
	Codes    Codes
	ClientIP func(*http.Request) netip.Addr
	Version  string // of the program
	Log      *slog.Logger
}

// API is the management API.
type API struct {
	Deps
	huma   huma.API
	router *chi.Mux
}

// New makes the API; Mount puts it on a router.
func New(d Deps) (*API, error) {
	if d.Admin == nil || d.Tokens == nil || d.Codes == nil || d.ClientIP == nil || d.Log == nil {
		return nil, errors.New("api: Admin, Tokens, Codes, ClientIP and Log are needed")
	}
	return &API{Deps: d}, nil
}

// Mount adds the routes.
func (a *API) Mount(r chi.Router) {
	a.router = chi.NewRouter()
	a.router.NotFound(a.notFound)
	a.router.MethodNotAllowed(a.notAllowed)
	a.huma = humachi.New(a.router, a.config())
	a.huma.UseMiddleware(a.authenticate, a.readable)
	a.applications()
	a.users()
	a.connectors()
	a.logs()
	a.emailTemplates()
	a.keys()
	a.status()
	a.oneTimeTokens()
	a.verificationCodes()
	a.resources()
	a.roles()
	a.signInExperiences()
	a.hooks()
	a.testAddresses()
	a.router.Get(documentPath, a.serveDocument(sync.OnceValues(a.document)))
	r.Mount(Path, a.router)
}

// setLibrary sets what the library has once per process.
var setLibrary = sync.OnceFunc(func() {
	huma.NewError = newProblem
	huma.ValidateStrictCasing = true  // else NAME is taken for name, past what is checked of name
	huma.DefaultArrayNullable = false // null where a list is needed is no list of nothing
})

func (a *API) config() huma.Config {
	setLibrary()
	c := huma.DefaultConfig("Management API", a.Version)
	c.Info.Description = "What an operator can set in this identity provider, with Logto's paths and shapes."
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.RejectUnknownQueryParameters = true
	c.Formats = formats()
	c.Servers = []*huma.Server{{URL: Path}}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"machine": {Type: "http", Scheme: "bearer", BearerFormat: "JWT",
			Description: "An access token of a machine-to-machine application, from /oidc/token with grant_type=client_credentials and resource=https://default.logto.app/api"},
	}
	return c
}

// operation describes one.
type operation struct {
	method  string
	path    string // below /api
	noun    string // tag, and first part of the scopes that cover it: "users" for users:read and users:write
	summary string
	status  int // of a success without a body or of a creation; 0: 200
}

// register adds an operation. Errors of the handler become answers by their code.
func register[I, O any](a *API, o operation, handle func(context.Context, *I) (*O, error)) {
	op := huma.Operation{
		Method: o.method, Path: o.path, Summary: o.summary, Tags: []string{o.noun}, DefaultStatus: o.status, MaxBodyBytes: MaxBody,
		OperationID:                  operationID(o),
		RejectUnknownQueryParameters: true,
		Security:                     []map[string][]string{{"machine": {o.scope()}}},
		Metadata:                     map[string]any{"scope": o.scope()},
		Errors:                       possible(o),
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.problemOf(ctx, err)
		}
		return out, nil
	})
}
