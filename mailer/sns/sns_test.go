package sns_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"idp/mailer/sns"
	"idp/mailer/sns/snstest"
)

func verifier(t *testing.T, s *snstest.SNS, change func(*sns.Config)) *sns.Verifier {
	t.Helper()
	topic, err := sns.ParseTopic(snstest.Topic)
	if err != nil {
		t.Fatal(err)
	}
	c := sns.Config{Topics: []sns.Topic{topic}, Transport: s, Roots: s.Roots}
	if change != nil {
		change(&c)
	}
	return sns.New(c)
}

func verify(t *testing.T, v *sns.Verifier, body []byte) error {
	t.Helper()
	m, err := sns.Parse(body)
	if err != nil {
		return err
	}
	return v.Verify(t.Context(), m)
}

func TestSignedMessagesAreBelieved(t *testing.T) {
	t.Parallel()
	s := snstest.New(t)
	v := verifier(t, s, nil)
	for _, version := range []string{"1", "2"} {
		m := s.Notification("a \"text\"\nwith lines <&> 日本")
		m["SignatureVersion"] = version
		if err := verify(t, v, s.Sign(m)); err != nil {
			t.Errorf("version %s: %v", version, err)
		}
		m["Subject"] = "with a subject"
		if err := verify(t, v, s.Sign(m)); err != nil {
			t.Errorf("version %s with a subject: %v", version, err)
		}
		c := s.Confirmation("a-token")
		c["SignatureVersion"] = version
		if err := verify(t, v, s.Sign(c)); err != nil {
			t.Errorf("version %s, confirmation: %v", version, err)
		}
	}
	if asked := s.Asked(); len(asked) != 2 { // the certificate, and its issuer's
		t.Errorf("asked for %v", asked)
	}
}

func TestForgedMessagesAreNot(t *testing.T) {
	t.Parallel()
	s, other := snstest.New(t), snstest.New(t)
	v := verifier(t, s, nil)
	if err := verify(t, v, s.Sign(s.Notification("good"))); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body []byte
		want error
	}{
		"unsigned":        {s.Notification("x").Body(), sns.ErrSignature},
		"another's key":   {other.Sign(s.Notification("x")), sns.ErrSignature},
		"changed":         {bytes.Replace(s.Sign(s.Notification("harmless")), []byte("harmless"), []byte("changed!"), 1), sns.ErrSignature},
		"subject added":   {bytes.Replace(s.Sign(s.Notification("x")), []byte(`"Type"`), []byte(`"Subject": "y", "Type"`), 1), sns.ErrSignature},
		"another topic":   {changed(s, "TopicArn", strings.Replace(snstest.Topic, "mail-events", "theirs", 1)), sns.ErrTopic},
		"another account": {changed(s, "TopicArn", strings.Replace(snstest.Topic, "1234", "9999", 1)), sns.ErrTopic},
		"no base64":       {bytes.Replace(s.Sign(s.Notification("x")), []byte(`"Signature": "`), []byte(`"Signature": "!`), 1), sns.ErrSignature},
		"version 3":       {changed(s, "SignatureVersion", "3"), sns.ErrSignature},
		"a downgrade":     {bytes.Replace(s.Sign(s.Notification("x")), []byte(`"SignatureVersion": "2"`), []byte(`"SignatureVersion": "1"`), 1), sns.ErrSignature},
	} {
		if err := verify(t, v, c.body); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func changed(s *snstest.SNS, field, value string) []byte {
	m := s.Notification("x")
	m[field] = value
	return s.Sign(m)
}

// Nobody but SNS in the topic's region is ever asked for a certificate.
func TestCertificateAddresses(t *testing.T) {
	t.Parallel()
	s := snstest.New(t)
	v := verifier(t, s, nil)
	for _, url := range []string{
		"", "not a url", "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
		"https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem", "https://sns.eu-west-1.amazonaws.com.cn/SimpleNotificationService-1.pem",
		"https://sns.eu-west-1.amazonaws.com.attacker.example/SimpleNotificationService-1.pem", "https://attacker.example/SimpleNotificationService-1.pem",
		"https://sns.eu-west-1.amazonaws.com@attacker.example/SimpleNotificationService-1.pem",
		"https://user@sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem", "https://sns.eu-west-1.amazonaws.com:444/SimpleNotificationService-1.pem",
		"https://sns.eu-west-1.amazonaws.com:443/SimpleNotificationService-1.pem", "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem?x=1",
		"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem?", "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem#x",
		"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem#", "https://sns.eu-west-1.amazonaws.com/other.pem",
		"https://sns.eu-west-1.amazonaws.com/x/../SimpleNotificationService-1.pem", "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-%2e%2e.pem",
		"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1%2Epem", "https://SNS.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
		"HTTPS://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem", "https://eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
		" https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem", "https:\\\\sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
	} {
		if err := verify(t, v, changed(s, "SigningCertURL", url)); !errors.Is(err, sns.ErrCertificate) {
			t.Errorf("%q: %v", url, err)
		}
	}
	if asked := s.Asked(); len(asked) != 0 {
		t.Errorf("asked for %v", asked)
	}
}

func TestCertificatesThatAreNotOfSNS(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*x509.Certificate){
		"expired":          func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) },
		"not yet":          func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) },
		"another name":     func(c *x509.Certificate) { c.DNSNames = []string{"sns.attacker.example"} },
		"another region":   func(c *x509.Certificate) { c.DNSNames = []string{"sns.us-east-1.amazonaws.com"} },
		"no issuer":        func(c *x509.Certificate) { c.IssuingCertificateURL = nil },
		"issuer elsewhere": func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://169.254.169.254/latest/"} },
		"issuer alike": func(c *x509.Certificate) {
			c.IssuingCertificateURL = []string{"http://amazontrust.com.attacker.example/"}
		},
	} {
		s := snstest.New(t)
		s.Certify(change)
		v := verifier(t, s, nil)
		body := s.Sign(s.Notification("x"))
		for range 2 {
			if err := verify(t, v, body); !errors.Is(err, sns.ErrCertificate) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if asked := s.Asked(); len(asked) > 2 || asked[0] != snstest.CertURL {
			t.Errorf("%s: asked for %v", name, asked)
		}
	}
	s, other := snstest.New(t), snstest.New(t)
	if err := verify(t, verifier(t, s, func(c *sns.Config) { c.Roots = other.Roots }), s.Sign(s.Notification("x"))); !errors.Is(err, sns.ErrCertificate) {
		t.Errorf("of an unknown root: %v", err)
	}
	late := verifier(t, s, func(c *sns.Config) { c.Now = func() time.Time { return time.Now().Add(48 * time.Hour) } })
	if err := verify(t, late, s.Sign(s.Notification("x"))); !errors.Is(err, sns.ErrCertificate) {
		t.Errorf("two days later: %v", err)
	}
}

// While SNS is away nothing is believed, and nothing is held against its certificate.
func TestSNSIsAway(t *testing.T) {
	t.Parallel()
	s := snstest.New(t)
	v := verifier(t, s, nil)
	body := s.Sign(s.Notification("x"))
	s.Down(true)
	if err := verify(t, v, body); !errors.Is(err, sns.ErrUnreachable) {
		t.Fatal(err)
	}
	s.Down(false)
	if err := verify(t, v, body); err != nil {
		t.Fatal(err)
	}
	m, err := sns.Parse(s.Sign(s.Confirmation("secret-token")))
	if err != nil {
		t.Fatal(err)
	}
	s.Down(true)
	if err := v.Confirm(t.Context(), m); !errors.Is(err, sns.ErrUnreachable) || strings.Contains(err.Error(), "secret-token") {
		t.Error(err)
	}
}

func TestMalformedMessages(t *testing.T) {
	t.Parallel()
	s := snstest.New(t)
	for name, body := range map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "list": []byte("[]"), "null": []byte("null"), "number": []byte(`{"Type": 1}`),
		"type": changed(s, "Type", "Other"), "time": changed(s, "Timestamp", "today"), "topic": changed(s, "TopicArn", "arn:aws:sqs:eu-west-1:1:x"),
		"region": changed(s, "TopicArn", "arn:aws:sns:evil.example/-1:123456789012:x"), "id": changed(s, "MessageId", ""),
		"token": changed(s, "Type", "SubscriptionConfirmation"), "two lines": changed(s, "MessageId", "a\nb"),
	} {
		if _, err := sns.Parse(body); !errors.Is(err, sns.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTopics(t *testing.T) {
	t.Parallel()
	for _, arn := range []string{snstest.Topic, "arn:aws-cn:sns:cn-north-1:123456789012:a", "arn:aws-us-gov:sns:us-gov-west-1:123456789012:a_b-c"} {
		if _, err := sns.ParseTopic(arn); err != nil {
			t.Errorf("%s: %v", arn, err)
		}
	}
	for _, arn := range []string{"", "mail-events", "arn:aws:sns:eu-west-1:1234:x", "arn:aws:sns:eu-west-1:123456789012:", "arn:aws:sns::123456789012:x",
		snstest.Topic + ":sub", snstest.Topic + "\n", "arn:aws:sns:eu-west-1.evil:123456789012:x"} {
		if _, err := sns.ParseTopic(arn); err == nil {
			t.Errorf("%q is taken", arn)
		}
	}
}
