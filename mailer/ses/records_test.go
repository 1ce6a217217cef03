package ses_test

import (
	"errors"
	"testing"

	"idp/mailer"
	"idp/mailer/ses"
	"idp/mailer/ses/sestest"
)

func TestRecords(t *testing.T) {
	t.Parallel()
	fake := sestest.Start(sestest.Options{Region: "eu-central-1"})
	defer fake.Close()
	s, err := ses.Factory(ses.Options{Endpoint: fake.URL})(fake.Config(nil))
	if err != nil {
		t.Fatal(err)
	}
	records := func() []mailer.Record {
		t.Helper()
		found, err := s.(mailer.Published).Records(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	fake.SetIdentity("other.example.com", sestest.Identity{Verified: true})
	if found := records(); len(found) != 0 {
		t.Errorf("without an identity: %+v", found)
	}
	fake.SetIdentity("example.com", sestest.Identity{Verified: true, Tokens: []string{"abc", "def"}, MailFromDomain: "bounce.example.com", MailFromStatus: "SUCCESS"})
	want := []mailer.Record{
		{Purpose: mailer.PurposeDKIM, Type: "CNAME", Name: "abc._domainkey.example.com", Value: "abc.dkim.amazonses.com"},
		{Purpose: mailer.PurposeDKIM, Type: "CNAME", Name: "def._domainkey.example.com", Value: "def.dkim.amazonses.com"},
		{Purpose: mailer.PurposeMailFrom, Type: "MX", Name: "bounce.example.com", Value: "10 feedback-smtp.eu-central-1.amazonses.com"},
		{Purpose: mailer.PurposeMailFrom, Type: "TXT", Name: "bounce.example.com", Value: "v=spf1 include:amazonses.com ~all"},
	}
	found := records()
	if len(found) != len(want) {
		t.Fatalf("%+v", found)
	}
	for i := range want {
		if found[i] != want[i] {
			t.Errorf("%+v, want %+v", found[i], want[i])
		}
	}
	fake.Deny("GetEmailIdentity")
	_, err = s.(mailer.Published).Records(t.Context())
	var e *mailer.SendError
	if !errors.As(err, &e) {
		t.Errorf("denied: %v", err)
	}
}
