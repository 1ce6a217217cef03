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
type AuthRequest struct {
	ID            ID        `json:"id"`
	Client        string    `json:"c"`
	RedirectURI   string    `json:"u"`
	State         string    `json:"s,omitempty"`
	HasState      bool      `json:"hs,omitempty"` // an empty state is given back as empty
	Nonce         string    `json:"n,omitempty"`
	CodeChallenge string    `json:"p,omitempty"` // S256
	Scopes        []string  `json:"o,omitempty"`
	Screen        Screen    `json:"f,omitempty"`
	LoginHint     string    `json:"h,omitempty"`
	UILocales     []string  `json:"l,omitempty"`
	StartedAt     time.Time `json:"t"`
}

// Finish is how an authorization request ends when its proof is accepted. Its
// secrets are derived from the challenge, so a second run of the same guess
// lands on the same session and the same redirect.
type Finish struct {
	Completion    Completion
	SessionSecret string // value of the session cookie
	Redirect      string // the client's redirect URI with code, state and iss
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
