package smtp_test

import (
	"fmt"
	"strconv"
	"testing"

	"idp/mailer"
	"idp/mailer/smtp"
)

// The record told is the one that a verifier needs, which TestSignatureVerifies shows.
func TestRecords(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"rsa", "ed25519"} {
		private, record := key(t, kind)
		s, err := smtp.New(fmt.Appendf(nil, `{"host":"127.0.0.1","fromEmail":"no-reply@shop.example","tls":"none","dkim":{"domain":"shop.example","selector":"s1","privateKey":%s}}`,
			strconv.Quote(private)))
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.(mailer.Published).Records(t.Context())
		want := mailer.Record{Purpose: mailer.PurposeDKIM, Type: "TXT", Name: "s1._domainkey.shop.example", Value: record}
		if err != nil || len(found) != 1 || found[0] != want {
			t.Errorf("%s: %+v, %v", kind, found, err)
		}
	}
	s, err := smtp.New([]byte(`{"host":"127.0.0.1","fromEmail":"no-reply@shop.example","tls":"none"}`))
	if err != nil {
		t.Fatal(err)
	}
	if found, err := s.(mailer.Published).Records(t.Context()); err != nil || len(found) != 0 {
		t.Errorf("without a key: %+v, %v", found, err)
	}
}
