package ses_test

import (
	"encoding/json"
	"strings"
	"testing"

	"idp/mailer"
	"idp/mailer/ses"
)

func templates(usages ...string) (out []map[string]string) {
	for _, usage := range usages {
		out = append(out, map[string]string{"usageType": usage, "subject": usage, "content": "{{code}}"})
	}
	return out
}

// with gives a configuration with fields on top of a good one; nil takes one out.
func with(t *testing.T, fields map[string]any) []byte {
	t.Helper()
	config := map[string]any{"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "accessKeySecret": "secret", "region": "us-east-1", "emailAddress": "a@example.com"}
	for k, v := range fields {
		if config[k] = v; v == nil {
			delete(config, k)
		}
	}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	type f = map[string]any
	template := func(field, value string) f {
		all := templates("Register", "SignIn", "ForgotPassword", "Generic")
		all[1][field] = value
		return f{"templates": all}
	}
	for _, c := range []struct {
		fields f
		want   string // in the error; "" for none
	}{
		{f{}, ""},
		{f{"templates": templates("Generic", "Register", "SignIn", "ForgotPassword", "BindMfa", "Anything")}, ""},
		{f{"templates": templates("SignIn", "Generic")}, "Template with UsageType (Register, ForgotPassword) should be provided!"},
		{f{"templates": []string{}}, "Template with UsageType (Register, SignIn, ForgotPassword, Generic) should be provided!"},
		{f{"accessKeyId": nil, "accessKeySecret": nil}, ""},
		{f{"accessKeyId": nil, "accessKeySecret": nil, "region": nil}, ""},
		{f{"accessKeyId": nil}, "accessKeyId is missing beside accessKeySecret"},
		{f{"accessKeySecret": nil}, "accessKeySecret is missing beside accessKeyId"},
		{f{"accessKeySecret": "sec ret"}, "accessKeySecret has a blank"},
		{f{"accessKeyId": "AKIA\n"}, "accessKeyId has a blank"},
		{f{"region": nil}, "region is missing"},
		{f{"region": "US East (Ohio)"}, "looks like us-east-1"},
		{f{"region": "evil.example/"}, "looks like us-east-1"},
		{f{"emailAddress": nil}, ""},
		{f{"emailAddress": "nobody"}, "emailAddress is not an email address"},
		{f{"emailAddressIdentityArn": "example.com"}, "emailAddressIdentityArn"},
		{f{"emailAddressIdentityArn": "arn:aws-us-gov:ses:us-gov-west-1:123456789012:identity/example.com"}, ""},
		{f{"feedbackForwardingEmailAddress": "a@b@c"}, "feedbackForwardingEmailAddress"},
		{f{"feedbackForwardingEmailAddressIdentityArn": "x"}, "feedbackForwardingEmailAddressIdentityArn"},
		{f{"configurationSetName": "no spaces"}, "configurationSetName"},
		{f{"emailAdress": "a@example.com"}, `unknown field "emailAdress"`},
		{f{"region": 3}, "region"},
		{template("subject", ""), "templates[1] (SignIn): the subject is empty"},
		{template("subject", "a\r\nBcc: b@example.com"), "templates[1] (SignIn): the subject has a line break"},
		{template("content", ""), "the content is empty"},
		{template("content", strings.Repeat("x", 10<<20)), "the content has 10240 kB"},
		{template("contentType", "text/rtf"), "text/html or text/plain"},
		{template("contentType", "text/plain"), ""},
		{template("replyTo", "a@example.com, b@example.com"), "templates[1] (SignIn): the address for answers (replyTo) is more than one address"},
		{template("sendFrom", "Shop<shop@example.com>"), ""},
		{template("sendFrom", "{{application.name}} <shop@example.com>"), "(sendFrom) has a variable"},
		{template("sendFrom", "a@example.com\r\nBcc: b@example.com"), "(sendFrom) has a line break"},
		{template("body", "x"), `unknown field "body"`},
	} {
		text := with(t, c.fields)
		_, err := ses.New(text)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.200s gives %v, want %q", text, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "AKIA") || strings.Contains(err.Error(), "sec ret")) {
			t.Errorf("the error quotes a key: %v", err)
		}
	}
	for text, want := range map[string]string{"": "not {", "[]": "not {", string(with(t, nil)) + "{}": "more after"} {
		if _, err := ses.New([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", text, err, want)
		}
	}
}

func TestSenderForms(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{ // the address, "" for a refusal
		"a@example.com":                           "a@example.com",
		"<a@example.com>":                         "a@example.com",
		"Acme<a@example.com>":                     "a@example.com",
		"Acme Inc. <A.b+c@Example.com>":           "A.b+c@Example.com",
		`"Acme, \"Inc\"" <a@example.com>`:         "",
		`"Acme, Inc" <a@example.com>`:             "a@example.com",
		"Acme, Inc <a@example.com>":               "a@example.com",
		"本屋 <a@例え.jp>":                            "a@xn--r8jz45g.jp",
		"a@bücher.example":                        "a@xn--bcher-kva.example",
		"Acme <a@example.com":                     "",
		"Acme a@example.com":                      "",
		"a@example.com>":                          "",
		"a@example.com, b@example.com":            "",
		"<a@example.com>, <b@example.com>":        "",
		"A <a@example.com>; B <b@example.com>":    "",
		"a@example.com <b@example.com>":           "",
		"A\r\nBcc: b@example.com <a@example.com>": "",
		"A\u2028B <a@example.com>":                "",
		"a@example.com\r\n":                       "",
		"a@localhost":                             "",
		`"a b"@example.com`:                       "",
		"a@[127.0.0.1]":                           "",
		"ä@example.com":                           "",
		"a\x00@example.com":                       "",
		"\xff <a@example.com>":                    "",
	} {
		s, err := ses.New(with(t, map[string]any{"emailAddress": text}))
		if strings.Contains(text, "\xff") {
			continue // JSON has no such text
		}
		if want == "" {
			if err == nil {
				t.Errorf("%q was taken", text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := s.(mailer.Addressed).Address(); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestTemplatesOfTheConfig(t *testing.T) {
	t.Parallel()
	all := append(templates("Register", "SignIn", "ForgotPassword", "Generic"), map[string]string{"usageType": "SignIn", "subject": "second", "content": "x"})
	s, err := ses.New(with(t, map[string]any{"templates": all}))
	if err != nil {
		t.Fatal(err)
	}
	got := s.(mailer.Templated).Templates()
	if len(got) != 4 || got[1].Subject != "SignIn" || got[1].ContentType != "text/html" {
		t.Errorf("the templates are %+v", got)
	}
	s, err = ses.New(with(t, nil))
	if err != nil || s.(mailer.Templated).Templates() != nil {
		t.Errorf("templates out of nothing, or %v", err)
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	for endpoint, good := range map[string]bool{
		"": true, "https://vpce-1.email.us-east-1.vpce.amazonaws.com": true, "http://127.0.0.1:8005": true, "http://localhost:8005/": true,
		"http://ses.example.com": false, "ftp://x": false, "email.us-east-1.amazonaws.com": false, "https://u:p@x.example/": false, "https://x.example/?q": false,
	} {
		if err := ses.CheckEndpoint(endpoint); (err == nil) != good {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
	if _, err := ses.Factory(ses.Options{Endpoint: "http://ses.example.com"})(with(t, nil)); err == nil {
		t.Error("a connector was made")
	}
}
