package smtp

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"

	"github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

// dkimConfig is a key that mails are signed with (RFC 6376).
type dkimConfig struct {
	Domain     string `json:"domain"`     // d=; the sender's, or one above it
	Selector   string `json:"selector"`   // s=; the public key is at SELECTOR._domainkey.DOMAIN
	PrivateKey string `json:"privateKey"` // PEM; RSA of 2048 bits or more, or Ed25519
}

// signer signs mails. It is safe for concurrent use.
type signer struct{ *mail.DKIMSigner }

// signed are the header fields under the signature. From is named once more than it is
// there, so that nobody can add another without breaking the signature; so are the others
// that a mail program shows or acts on.
var (
	signed     = []string{"From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type", "Auto-Submitted"}
	oversigned = []string{"From", "To", "Subject", "Date", "Reply-To", "MIME-Version", "Content-Type"}
)

func (c *dkimConfig) signer(sender string) (*signer, error) {
	if c == nil {
		return nil, nil
	}
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(strings.ToLower(strings.TrimSpace(c.Domain)), "."))
	switch {
	case err != nil || domain == "":
		return nil, errors.New("dkim.domain has to be the sender's domain: example.com")
	case sender != domain && !strings.HasSuffix(sender, "."+domain):
		return nil, fmt.Errorf("dkim.domain is %s, but mails come from %s: a signature counts only for the sender's domain or one above it", domain, sender)
	case c.Selector == "" || strings.ContainsFunc(c.Selector, func(r rune) bool {
		return r != '-' && r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}):
		return nil, errors.New("dkim.selector has to be the name before ._domainkey in the DNS")
	}
	key, err := privateKey(c.PrivateKey)
	if err != nil {
		return nil, err
	}
	s := mail.NewDKIMSigner(domain, c.Selector, key)
	s.HeaderCanonicalization(mail.CanonicalizationRelaxed)
	s.BodyCanonicalization(mail.CanonicalizationRelaxed)
	s.SignHeaders(signed...)
	s.OversignHeaders(oversigned...)
	// The first signature is made here: it tells whether the key can sign, and the
	// signer writes its algorithm down on it, which it must not do on many mails at once.
	if _, err := s.Sign([]byte("From: <a@"+domain+">\r\n"), []byte("\r\n")); err != nil {
		return nil, fmt.Errorf("dkim.privateKey cannot sign: %w", err)
	}
	return &signer{s}, nil
}

func privateKey(text string) (crypto.Signer, error) {
	key, err := mail.PrivKeyFromPEM([]byte(text))
	if err != nil {
		return nil, errors.New("dkim.privateKey has to be a PEM text of an RSA or Ed25519 key (PKCS #1 or #8), without a passphrase")
	}
	if k, ok := key.(*rsa.PrivateKey); ok && k.N.BitLen() < 1024 {
		return nil, errors.New("dkim.privateKey is shorter than 1024 bits: mailboxes do not count it (RFC 8301)")
	}
	return key, nil
}
