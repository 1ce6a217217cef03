package store

import "time"

// Screen is the page an authorization request opens with.
type Screen string

// The screens.
const (
	ScreenSignIn   Screen = "sign_in"
	ScreenRegister Screen = "register"
	ScreenRecover  Screen = "reset_password"
)

// AuthRequest is a validated authorization request (RFC 6749 section 4.1.1,
// OpenID Connect Core section 3.1.2.1). It is not stored: it travels sealed in
// the URL parameter r, bound to the browser that brought it.
//
// A request without a client is our own: somebody signs in to the account page,
// and RedirectURI is that page's address.
type AuthRequest struct {
	ID            ID        `json:"id"`
	Client        string    `json:"c"`
	RedirectURI   string    `json:"u"`
	State         string    `json:"s,omitempty"`
	HasState      bool      `json:"hs,omitempty"` // an empty state is given back as empty
	Nonce         string    `json:"n,omitempty"`
	CodeChallenge string    `json:"p,omitempty"`  // S256
	Scopes        []string  `json:"o,omitempty"`  // known ones, and those of the resources
	Resources     []string  `json:"rs,omitempty"` // indicators of the resources that access is asked for (RFC 8707)
	Screen        Screen    `json:"f,omitempty"`
	LoginHint     string    `json:"h,omitempty"`
	UILocales     []string  `json:"l,omitempty"`
	StartedAt     time.Time `json:"t"`
	Console       bool      `json:"co,omitempty"` // somebody enters the console, and RedirectURI is one of its pages
	OneTimeToken  string    `json:"ot,omitempty"` // signs in as LoginHint, in the place of a code

	AuthAfter time.Time `json:"aa,omitzero"`   // the person must have proved who they are since then (prompt=login); zero: ever
	MaxAge    *int64    `json:"ma,omitempty"`  // seconds that may have passed since, when the answer goes out; nil: any
	Subject   string    `json:"sub,omitempty"` // the only person who will do (id_token_hint), "" for any
}

// IsOwn tells that no app asks, but a page of our own.
func (r AuthRequest) IsOwn() bool { return r.Client == "" }

// Proof is what a [Finish] is made of: the challenge that is about to be judged.
type Proof struct {
	Challenge ID
	Purpose   Purpose
	Previous  Hash   // the session that this browser had; zero: none
	Console   Hash   // and that of the console
	Agent     string // the browser, as people are told of it: "Firefox on Windows"
}

// Finish is how an authorization request ends when its proof is accepted. Its
// secrets are derived from the challenge, so a second run of the same guess
// lands on the same session and the same redirect.
type Finish struct {
	Completion    Completion
	SessionSecret string // value of the session cookie
	Redirect      string // the client's redirect URI with code, state and iss

	Subject   string // see [AuthRequest]
	Otherwise string // where to go, without a code, if somebody else has signed in
}

// SignOut is a validated request to end the browser's session (OpenID Connect
// RP-Initiated Logout 1.0 section 2). Like an [AuthRequest] it travels sealed.
type SignOut struct {
	Client      string    `json:"c,omitempty"` // who asks, "" if that is not known to be so
	RedirectURI string    `json:"u,omitempty"` // registered for the client, "" for our own page
	State       string    `json:"s,omitempty"`
	HasState    bool      `json:"hs,omitempty"`
	UILocales   []string  `json:"l,omitempty"`
	StartedAt   time.Time `json:"t"`
}

// Problem is a request that cannot be answered by a redirect, because where to
// redirect is not known to be good.
type Problem struct {
	Kind        string   // "unknown_client", "redirect_mismatch", "bad_request", "too_large", "unavailable", "failure"
	Client      string   // client_id as sent
	Sent        string   // redirect_uri as sent
	Registered  []string // what the client has registered
	Description string   // for developers
}
