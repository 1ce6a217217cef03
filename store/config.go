package store

import "time"

// SigningKey signs tokens. The private half is sealed.
type SigningKey struct {
	ID        string // kid: RFC 7638 thumbprint of the public key
	Alg       string // ES256, RS256, ES384, EdDSA
	Sealed    []byte // PKCS #8 DER of the private key, sealed
	Public    []byte // PKIX DER
	CreatedAt time.Time
	RetiredAt time.Time // zero: it signs
}

// How long a key is published without signing. A new one: longer than other replicas take to
// hear of it, which publish it, too. A retired one: longer than any token it has signed lives,
// 24 hours at most (an API resource's), and replicas sign with it for some seconds more.
const (
	KeyAnnounced = 10 * time.Second
	KeyKept      = 25 * time.Hour
)

// PublishedUntil is when a retired key is published no longer; zero: it is not retired.
func (k SigningKey) PublishedUntil() time.Time {
	if k.RetiredAt.IsZero() {
		return time.Time{}
	}
	return k.RetiredAt.Add(KeyKept)
}

// Connector is a configured mail sender. Connectors are tried by Position.
type Connector struct {
	ID        string // "inbox", "http", "aws-ses-mail", "smtp"
	Position  int
	Sealed    []byte // its JSON configuration, sealed
	UpdatedAt time.Time
}
