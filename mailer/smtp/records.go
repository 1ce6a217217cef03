package smtp

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"fmt"

	"idp/mailer"
)

var _ mailer.Published = (*Sender)(nil)

// Records tells the record with the key that mails are signed with, none if they are not
// signed here. It asks nobody.
func (s *Sender) Records(context.Context) ([]mailer.Record, error) {
	if s.settings.dkim == nil {
		return nil, nil
	}
	return []mailer.Record{s.settings.dkim.record}, nil
}

// keyRecord is RFC 6376 section 3.6.1, for Ed25519 RFC 8463 section 4: the bare key.
func keyRecord(domain, selector string, key crypto.Signer) (mailer.Record, error) {
	r := mailer.Record{Purpose: mailer.PurposeDKIM, Type: "TXT", Name: selector + "._domainkey." + domain}
	if public, ok := key.Public().(ed25519.PublicKey); ok {
		r.Value = "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
		return r, nil
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return r, fmt.Errorf("write the public key: %w", err)
	}
	r.Value = "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)
	return r, nil
}
