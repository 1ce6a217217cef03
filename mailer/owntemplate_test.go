package mailer_test

import (
	"strings"
	"testing"

	"idp/mailer"
)

// ownTemplates are the four that Logto asks for, the second one changed.
func ownTemplates(change func(*mailer.OwnTemplate)) (all []mailer.OwnTemplate) {
	for _, usage := range []string{"Register", "SignIn", "ForgotPassword", "Generic"} {
		all = append(all, mailer.OwnTemplate{UsageType: usage, Subject: usage, Content: "{{code}}"})
	}
	if change != nil {
		change(&all[1])
	}
	return all
}

func TestOwnTemplates(t *testing.T) {
	t.Parallel()
	if got, err := mailer.OwnTemplates(nil); got != nil || err != nil {
		t.Errorf("none gives %v, %v", got, err)
	}
	got, err := mailer.OwnTemplates(append(ownTemplates(nil), mailer.OwnTemplate{UsageType: "SignIn", Subject: "second", Content: "x"},
		mailer.OwnTemplate{UsageType: "Anything", Subject: "s", Content: "x", ContentType: "text/plain"}))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 5 || got[1].Subject != "SignIn" || got[1].ContentType != "text/html" || got[4].ContentType != "text/plain" {
		t.Errorf("%+v", got)
	}
}

func TestOwnTemplatesThatAreRefused(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*mailer.OwnTemplate){
		"Template with UsageType (SignIn) should be provided!":                              func(o *mailer.OwnTemplate) { o.UsageType = "Other" },
		"templates[1] (SignIn): the subject is empty":                                       func(o *mailer.OwnTemplate) { o.Subject = " " },
		"templates[1] (SignIn): the subject has a line break":                               func(o *mailer.OwnTemplate) { o.Subject = "a\r\nBcc: b@example.com" },
		"templates[1] (SignIn): the content is empty":                                       func(o *mailer.OwnTemplate) { o.Content = "\n" },
		"templates[1] (SignIn): the content has 10240 kB":                                   func(o *mailer.OwnTemplate) { o.Content = strings.Repeat("x", 10<<20) },
		"templates[1] (SignIn): line 2: {{ is not closed":                                   func(o *mailer.OwnTemplate) { o.Content = "{{code}}\n{{link" },
		`templates[1] (SignIn): the content type is "text/rtf"`:                             func(o *mailer.OwnTemplate) { o.ContentType = "text/rtf" },
		"templates[1] (SignIn): the address for answers (replyTo) is more than one address": func(o *mailer.OwnTemplate) { o.ReplyTo = "a@x.example,b@x.example" },
		"templates[1] (SignIn): the sender (sendFrom) has a line break":                     func(o *mailer.OwnTemplate) { o.SendFrom = "a@x.example\r\nBcc: b@x.example" },
		"templates[1] (SignIn): the sender (sendFrom) has a variable":                       func(o *mailer.OwnTemplate) { o.SendFrom = "{{application.name}} <a@x.example>" },
	} {
		if _, err := mailer.OwnTemplates(ownTemplates(change)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	unnamed := append(ownTemplates(nil), mailer.OwnTemplate{Subject: "s", Content: "{{code}}"})
	if _, err := mailer.OwnTemplates(unnamed); err == nil || !strings.Contains(err.Error(), "usageType is missing") {
		t.Errorf("a template for nothing: %v", err)
	}
}
