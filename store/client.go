package store

import "time"

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
	CreatedAt, UpdatedAt   time.Time
}

// ClientSecret is one live secret of a client: its hash, and the four
// characters it starts with, to tell it from others.
type ClientSecret struct {
	ID        ID
	Hash      Hash
	Prefix    string
	CreatedAt time.Time
	UsedAt    time.Time // some minutes late at most; zero: never
}
