package op

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"idp/keyring"
	"idp/store"
)

// Store is what the provider asks of the database.
type Store interface {
	Now() time.Time
	Client(ctx context.Context, id string) (store.Client, error)
	Clients(ctx context.Context, after string, limit int) ([]store.Client, error)
	Session(ctx context.Context, hash, browser store.Hash) (store.Session, error)
	CompleteSession(ctx context.Context, session, browser store.Hash, c store.Completion) (store.SignedIn, error)
	LastSession(ctx context.Context, hash, browser store.Hash) (store.Session, error)
	EndSessions(ctx context.Context, e store.Ending) error
	RedeemCode(ctx context.Context, r store.Redemption) (store.Grant, error)
	RefreshGrant(ctx context.Context, r store.Refresh) (store.Refreshed, error)
	CodeResources(ctx context.Context, code store.Hash, client string) ([]string, error)
	GrantAsked(ctx context.Context, grant store.ID, client string) (scopes, resources []string, err error)
	GrantLives(ctx context.Context, grant store.ID, client string) (bool, error)
	HoldsGrant(ctx context.Context, user string, session store.Hash, client string) (bool, error)
	AccessToken(ctx context.Context, grant store.ID, access store.Hash) (store.Token, error)
	RefreshToken(ctx context.Context, grant store.ID, refresh store.Hash) (store.Token, error)
	RevokeToken(ctx context.Context, r store.Revocation) (issuedTo string, err error)
	ResourceAt(ctx context.Context, indicator string) (store.Resource, error)
	ScopesOf(ctx context.Context, resource string) ([]string, error)
	MachineScopes(ctx context.Context, client, resource string) ([]string, error)
	NoteSecretUse(ctx context.Context, at map[store.ID]time.Time) error
	UseAssertion(ctx context.Context, key store.Hash, until time.Time) error
	SigningKeys(ctx context.Context) ([]store.SigningKey, error)
	AddSigningKey(ctx context.Context, k store.SigningKey) error
}

// Browser reads the cookies of a browser.
type Browser interface {
	Hash(r *http.Request) (store.Hash, bool)    // of the browser cookie
	Session(r *http.Request) (store.Hash, bool) // of the session cookie
	ClearSession(w http.ResponseWriter)
}

// Pages are the pages that a person sees. All methods answer the request.
type Pages interface {
	// Begin renders the first page for a validated request.
	Begin(w http.ResponseWriter, r *http.Request, req store.AuthRequest, client store.Client)
	// Choose asks whether to go on as the person who is signed in here.
	Choose(w http.ResponseWriter, r *http.Request, req store.AuthRequest, client store.Client, session store.Session)
	// Refuse renders why a request cannot be answered, not even by a redirect.
	Refuse(w http.ResponseWriter, r *http.Request, problem store.Problem)
	// AskSignOut asks whether to end the session of this browser. problem is as in
	// SignedOut.
	AskSignOut(w http.ResponseWriter, r *http.Request, out store.SignOut, session store.Session, problem *store.Problem)
	// SignedOut says that there is no session here any more. problem is why there is
	// no way back to an app, if there was to be one.
	SignedOut(w http.ResponseWriter, r *http.Request, problem *store.Problem)
}

// Config holds lifetimes; a zero field means the default.
type Config struct {
	CodeTTL         time.Duration // of an authorization code; 60 s: it is redeemed at once or never
	SessionIdle     time.Duration // a session dies when it was not used for so long; 12 h
	SessionAbsolute time.Duration // and in any case after this; 14 days
	AccessTTL       time.Duration // of an access token; 1 h, as in Logto
	IDTokenTTL      time.Duration // of an ID token; 1 h, as in Logto
	RefreshIdle     time.Duration // a refresh token dies when it was not used for so long; 14 days, as in Logto
	RefreshAbsolute time.Duration // and those that follow it after this; 90 days
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field   *time.Duration
		initial time.Duration
	}{
		{&c.CodeTTL, time.Minute},
		{&c.SessionIdle, 12 * time.Hour},
		{&c.SessionAbsolute, 14 * 24 * time.Hour},
		{&c.AccessTTL, time.Hour},
		{&c.IDTokenTTL, time.Hour},
		{&c.RefreshIdle, 14 * 24 * time.Hour},
		{&c.RefreshAbsolute, 90 * 24 * time.Hour},
	} {
		if *d.field == 0 {
			*d.field = d.initial
		}
	}
	return c
}

// Deps is what a [Provider] is made of.
type Deps struct {
	Store    Store
	Ring     *keyring.Ring
	Endpoint *url.URL // public base URL; the issuer is this plus /oidc, whatever Host a request names
	Browser  Browser
	Pages    Pages // may be given later, see [Provider.SetPages]
	Config   Config
	Log      *slog.Logger

	// Asked is told of each request for tokens from a client that is who it says: the grant type, and why
	// none were given, an error code of RFC 6749; "" where they were. Nil: nobody is.
	Asked func(grantType, refusal string)
}

// Provider is the OpenID Provider. Its methods are safe for concurrent use.
type Provider struct {
	store    Store
	endpoint string
	issuer   string
	browser  Browser
	pages    Pages
	config   Config
	log      *slog.Logger
	asked    func(grantType, refusal string)

	requests  *keyring.Sealer // r
	keySealer *keyring.Sealer // private signing keys
	sessions  *keyring.MAC    // session secrets
	consoles  *keyring.MAC    // the same of the console's sessions
	codes     *keyring.MAC    // authorization codes
	signOuts  *keyring.Sealer // o
	access    *keyring.MAC    // access tokens, from the refresh token that was presented
	refresh   *keyring.MAC    // refresh tokens, each from the one before
	genuine   *keyring.MAC    // marks refresh tokens as issued here

	used      usedSecrets
	keyMu     sync.Mutex // held while keys are made or read anew
	keys      atomic.Pointer[keySet]
	origins   originCache
	discovery document
}

// New makes a provider. Call [Provider.Start] before it serves.
func New(d Deps) (*Provider, error) {
	if d.Store == nil || d.Ring == nil || d.Endpoint == nil || d.Browser == nil || d.Log == nil {
		return nil, errors.New("op: Store, Ring, Endpoint, Browser and Log are needed")
	}
	endpoint := strings.TrimRight(d.Endpoint.String(), "/")
	p := &Provider{
		store: d.Store, endpoint: endpoint, issuer: endpoint + base,
		browser: d.Browser, pages: d.Pages, config: d.Config.withDefaults(), log: d.Log, asked: d.Asked,
		requests: d.Ring.Sealer("request"), keySealer: d.Ring.Sealer("signing key"),
		sessions: d.Ring.MAC("session"), consoles: d.Ring.MAC("console session"), codes: d.Ring.MAC("authorization code"), signOuts: d.Ring.Sealer("sign-out"),
		access: d.Ring.MAC("access token"), refresh: d.Ring.MAC("refresh token"), genuine: d.Ring.MAC("genuine refresh token"),
	}
	var err error
	p.discovery, err = newDocument(p.configuration(), "public, max-age=300")
	return p, err
}

// SetPages gives the pages, which need the provider themselves: call it between
// [New] and the first request.
func (p *Provider) SetPages(pages Pages) { p.pages = pages }

// Start makes the signing keys that every instance has, unless another replica
// has made them, and loads all.
func (p *Provider) Start(ctx context.Context) error {
	for _, alg := range alwaysPublished {
		if _, err := p.signerFor(ctx, alg); err != nil {
			return err
		}
	}
	return nil
}

// Issuer is the issuer identifier (OpenID Connect Discovery section 3).
func (p *Provider) Issuer() string { return p.issuer }
