package sestest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"idp/mailer/ses/sestest"
)

const good = `{"FromEmailAddress":"a@example.com","Destination":{"ToAddresses":["b@example.com"]},"Content":{"Simple":{"Subject":{"Data":"s"},"Body":{"Text":{"Data":"t"}}}}}`

// post signs a mail as a client would, and changes the request behind the signature's back.
func post(t *testing.T, fake *sestest.Server, body string, at time.Time, change func(*http.Request)) (status int, kind, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fake.URL+"/v2/email/outbound-emails", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(body))
	access := aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	if err := v4.NewSigner().SignHTTP(t.Context(), access, req, hex.EncodeToString(sum[:]), "ses", "us-east-1", at); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("X-Amzn-Errortype"), string(text)
}

func TestSignaturesAreVerified(t *testing.T) {
	t.Parallel()
	fake := sestest.Start(sestest.Options{})
	t.Cleanup(fake.Close)
	now := time.Now()
	if status, _, answer := post(t, fake, good, now, nil); status != 200 || !strings.Contains(answer, "MessageId") {
		t.Fatalf("%d %s", status, answer)
	}
	for name, c := range map[string]struct {
		at     time.Time
		change func(*http.Request)
		want   string
	}{
		"unsigned": {now, func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationTokenException"},
		"another body": {now, func(r *http.Request) {
			r.Body = io.NopCloser(bytes.NewReader([]byte(strings.Replace(good, "b@example.com", "c@example.com", 1))))
		}, "InvalidSignatureException"},
		"another path": {now, func(r *http.Request) { r.URL.RawQuery = "x=y" }, "InvalidSignatureException"},
		"another time": {now, func(r *http.Request) {
			r.Header.Set("X-Amz-Date", now.Add(time.Minute).UTC().Format("20060102T150405Z"))
		}, "InvalidSignatureException"},
		"an old one":      {now.Add(-time.Hour), nil, "InvalidSignatureException"},
		"no time":         {now, func(r *http.Request) { r.Header.Del("X-Amz-Date") }, "IncompleteSignatureException"},
		"nothing for all": {now, func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 x") }, "UnrecognizedClientException"},
	} {
		if status, kind, answer := post(t, fake, good, c.at, c.change); status != 403 || kind != c.want {
			t.Errorf("%s: %d %s %s", name, status, kind, answer)
		}
	}
	if n := fake.Accepted(); n != 1 {
		t.Errorf("%d mails were taken", n)
	}
}

func TestPayloadsAreChecked(t *testing.T) {
	t.Parallel()
	fake := sestest.Start(sestest.Options{})
	t.Cleanup(fake.Close)
	for name, change := range map[string][2]string{
		"two recipients": {`["b@example.com"]`, `["b@example.com","c@example.com"]`},
		"no recipient":   {`["b@example.com"]`, `[]`},
		"no sender":      {`"a@example.com"`, `""`},
		"two senders":    {`"a@example.com"`, `"a@example.com, b@example.com"`},
		"a raw name":     {`"a@example.com"`, `"本屋 <a@example.com>"`},
		"CRLF":           {`"b@example.com"`, `"b@example.com\r\nBcc: c@example.com"`},
		"subject CRLF":   {`"Data":"s"`, `"Data":"s\r\nBcc: c@example.com"`},
		"no subject":     {`"Data":"s"`, `"Data":""`},
		"no body":        {`"Text":{"Data":"t"}`, ``},
		"no content":     {`"Simple"`, `"Raw"`},
		"bad header":     {`"Subject"`, `"Headers":[{"Name":"X","Value":"a\r\nb"}],"Subject"`},
	} {
		body := strings.Replace(good, change[0], change[1], 1)
		if body == good {
			t.Fatalf("%s changes nothing", name)
		}
		if status, kind, answer := post(t, fake, body, time.Now(), nil); status != 400 || kind != "BadRequestException" {
			t.Errorf("%s: %d %s %s", name, status, kind, answer)
		}
	}
	if status, kind, _ := post(t, fake, "{", time.Now(), nil); status != 400 || kind != "SerializationException" {
		t.Errorf("no JSON: %d %s", status, kind)
	}
	if n := fake.Accepted(); n != 0 {
		t.Errorf("%d mails were taken", n)
	}
}
