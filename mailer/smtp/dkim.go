package smtp

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
	"golang.org/x/net/idna"

	"idp/mailer"
)

// dkimConfig is a key that mails are signed with (RFC 6376).
type dkimConfig struct {
	Domain     string `json:"domain"`     // d=; the sender's, or one above it
	Selector   string `json:"selector"`   // s=; the public key is at SELECTOR._domainkey.DOMAIN
	PrivateKey string `json:"privateKey"` // PEM; RSA of 2048 bits or more, or Ed25519
}

// signer signs mails. It is safe for concurrent use.
type signer struct {
	options dkim.SignOptions
	record  mailer.Record // with the public key
}

// sign gives the mail with the signature's header field before it.
func (s *signer) sign(mail []byte) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(mail) + 1024)
	options := s.options
	if err := dkim.Sign(&out, bytes.NewReader(mail), &options); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

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
	s := &signer{options: dkim.SignOptions{
		Domain: domain, Selector: c.Selector, Signer: key, HeaderKeys: slices.Concat(signed, oversigned),
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	}}
	if _, err := s.sign([]byte("From: <a@" + domain + ">\r\n\r\n")); err != nil {
		return nil, fmt.Errorf("dkim.privateKey cannot sign: %w", err)
	}
	record, err := keyRecord(domain, c.Selector, key)
	if err != nil {
		return nil, fmt.Errorf("dkim.privateKey: %w", err)
	}
	s.record = record
	return s, nil
}

func privateKey(text string) (crypto.Signer, error) {
	wrong := errors.New("dkim.privateKey has to be a PEM text of an RSA or Ed25519 key (PKCS #1 or #8), without a passphrase")
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, wrong
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, wrong
	}
	switch k := key.(type) {
	case ed25519.PrivateKey:
		return k, nil
	case *rsa.PrivateKey:
		if k.N.BitLen() < 1024 {
			return nil, errors.New("dkim.privateKey is shorter than 1024 bits: mailboxes do not count it (RFC 8301)")
		}
		return k, nil
	}
	return nil, wrong
}
