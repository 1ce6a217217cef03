package store

import (
	"encoding/json"
	"time"
)

// ClientType is what kind of relying party a client is; the names are Logto's.
type ClientType string

// The client types.
const (
	Traditional ClientType = "traditional" // keeps a secret on a server
	SPA         ClientType = "spa"         // runs in a browser, no secret
	Native      ClientType = "native"      // runs on a device, no secret, loopback redirects on any port (RFC 8252)
	Machine     ClientType = "m2m"         // no person: client_credentials only
)

// Confidential tells whether clients of this type hold a secret.
func (t ClientType) Confidential() bool { return t == Traditional || t == Machine }

// Client is a relying party.
type Client struct {
	ID                     string // 21 characters of [0-9a-z]
	Name                   string // shown to people
	Type                   ClientType
	RedirectURIs           []string // compared as exact strings
	PostLogoutRedirectURIs []string
	IDTokenAlg             string // ES256, RS256, ES384 or EdDSA
	PKCE                   bool   // an S256 challenge is required; always true for public clients
	AlwaysRefresh          bool   // gets a refresh token without offline_access, too; it dies with the session
	JWKS                   string // public keys for private_key_jwt (RFC 7517 section 5), "" for none
	Secrets                []ClientSecret
	Description            string
	Experience             ClientExperience
	CustomData             json.RawMessage // object of the operator's; nil: none
	Metadata               json.RawMessage // object: what Logto keeps of an app and nothing here decides by; nil: none
	CreatedAt, UpdatedAt   time.Time
}

// ClientSecret is one live secret of a client: its hash, and the four
// characters it starts with, to tell it from others.
type ClientSecret struct {
	ID        ID
	Hash      Hash
	Prefix    string
	Name      string // "" for those that were made without
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	UsedAt    time.Time // some minutes late at most; zero: never
}

// NewClientSecret makes a secret: 32 characters of [0-9A-Za-z], 190 bits, which are shown
// once, and what is kept of them.
func NewClientSecret(now time.Time, name string, ends time.Time) (string, ClientSecret) {
	text := RandomText(32)
	return text, GivenClientSecret(now, name, text, ends)
}

// GivenClientSecret is what is kept of a secret that a client has from elsewhere: at least 32
// characters that cannot be guessed.
func GivenClientSecret(now time.Time, name, text string, ends time.Time) ClientSecret {
	return ClientSecret{ID: NewID(now), Hash: HashOf([]byte(text)), Prefix: text[:4], Name: name, ExpiresAt: ends}
}

// ClientExperience is what an app's sign-in pages have of their own; what is "" is the
// instance's.
type ClientExperience struct {
	DisplayName      string `json:"displayName,omitempty"`
	LogoURL          string `json:"logoUrl,omitempty"`
	DarkLogoURL      string `json:"darkLogoUrl,omitempty"`
	PrimaryColor     string `json:"primaryColor,omitempty"` // #rrggbb
	DarkPrimaryColor string `json:"darkPrimaryColor,omitempty"`
	TermsOfUseURL    string `json:"termsOfUseUrl,omitempty"`
	PrivacyPolicyURL string `json:"privacyPolicyUrl,omitempty"`
}

// ClientListing is the part of the list of clients that is asked for.
type ClientListing struct {
	Listing
	Types   []ClientType // none: all
	NotRole string       // none that has this role; "" for all
}
