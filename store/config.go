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

// Connector is a configured mail sender. Connectors are tried by Position.
type Connector struct {
	ID        string // "inbox", "http", "aws-ses-mail", "smtp"
	Position  int
	Sealed    []byte // its JSON configuration, sealed
	UpdatedAt time.Time
}
