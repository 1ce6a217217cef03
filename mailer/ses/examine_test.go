package ses_test

import (
	"fmt"
	"strings"
	"testing"

	"idp/mailer"
	"idp/mailer/ses/sestest"
)

// examine gives the findings by what was looked at.
func examine(t *testing.T, s mailer.Sender) map[string]mailer.Finding {
	t.Helper()
	found := map[string]mailer.Finding{}
	for _, f := range s.(mailer.Examined).Examine(t.Context()) {
		if _, twice := found[f.Check]; twice || f.Text == "" || (f.Level == mailer.OK) != (f.Fix == "") {
			t.Errorf("finding %+v", f)
		}
		found[f.Check] = f
	}
	return found
}

func TestExamine(t *testing.T) {
	t.Parallel()
	good := sestest.Account{SendingEnabled: true, ProductionAccessEnabled: true, EnforcementStatus: "HEALTHY", MaxSendRate: 14, Max24HourSend: 50000}
	const arn = "arn:aws:ses:us-east-1:999999999999:identity/example.com"
	for name, c := range map[string]struct {
		fields     map[string]any
		account    func(*sestest.Account)
		identities map[string]sestest.Identity
		denied     []string
		check      string
		level      mailer.Level
		text, fix  string
	}{
		"account":                       {check: "account", level: mailer.OK},
		"account paused":                {account: func(a *sestest.Account) { a.SendingEnabled = false }, check: "account", level: mailer.Failure, fix: "dashboard"},
		"shut down":                     {account: func(a *sestest.Account) { a.EnforcementStatus = "SHUTDOWN" }, check: "account", level: mailer.Failure, fix: "dashboard"},
		"review":                        {account: func(a *sestest.Account) { a.EnforcementStatus = "PROBATION" }, check: "account", level: mailer.Warning, fix: "bounces"},
		"account denied":                {denied: []string{"GetAccount"}, check: "account", level: mailer.Warning, text: "not authorized", fix: "ses:GetAccount"},
		"production":                    {check: "sandbox", level: mailer.OK},
		"sandbox":                       {account: func(a *sestest.Account) { a.ProductionAccessEnabled = false }, check: "sandbox", level: mailer.Failure, fix: "production access"},
		"quota":                         {check: "quota", level: mailer.OK, text: "14 mails a second, 50000 in 24 hours"},
		"quota spent":                   {account: func(a *sestest.Account) { a.SentLast24Hours = 45000 }, check: "quota", level: mailer.Warning, fix: "quota"},
		"no quota":                      {account: func(a *sestest.Account) { a.Max24HourSend = -1 }, check: "quota", level: mailer.OK, text: "no limit"},
		"domain":                        {check: "sender identity", level: mailer.OK, text: "example.com is verified"},
		"a domain above":                {fields: map[string]any{"emailAddress": "a@mail.eu.example.com"}, check: "sender identity", level: mailer.OK, text: "example.com is verified"},
		"an address":                    {identities: map[string]sestest.Identity{"no-reply@example.com": {Verified: true}}, check: "sender identity", level: mailer.OK, text: "no-reply@example.com is verified"},
		"a pending address of a domain": {identities: map[string]sestest.Identity{"no-reply@example.com": {}, "example.com": {Verified: true}}, check: "sender identity", level: mailer.OK, text: "example.com is verified"},
		"pending":                       {identities: map[string]sestest.Identity{"example.com": {Status: "PENDING"}}, check: "sender identity", level: mailer.Failure, text: "PENDING", fix: "Verify it"},
		"elsewhere":                     {fields: map[string]any{"emailAddress": "a@example.net"}, check: "sender identity", level: mailer.Failure, text: "a@example.net", fix: "region"},
		"no sender":                     {fields: map[string]any{"emailAddress": nil}, check: "sender identity", level: mailer.Failure, fix: "emailAddress"},
		"shared identity":               {fields: map[string]any{"emailAddress": "a@example.org", "emailAddressIdentityArn": strings.ReplaceAll(arn, "example.com", "example.org")}, check: "sender identity", level: mailer.Warning, fix: "another account"},
		"identity denied":               {denied: []string{"GetEmailIdentity"}, check: "sender identity", level: mailer.Warning, fix: "ses:GetEmailIdentity"},
		"DKIM":                          {check: "DKIM", level: mailer.OK},
		"DKIM off":                      {identities: map[string]sestest.Identity{"example.com": {Verified: true, DKIM: "OFF"}}, check: "DKIM", level: mailer.Warning, fix: "Easy DKIM"},
		"DKIM missing": {identities: map[string]sestest.Identity{"example.com": {Verified: true, DKIM: "FAILED", Tokens: []string{"abc"}}}, check: "DKIM", level: mailer.Warning,
			text: "FAILED", fix: "abc._domainkey.example.com CNAME abc.dkim.amazonses.com"},
		"MAIL FROM":    {identities: map[string]sestest.Identity{"example.com": {Verified: true, MailFromDomain: "b.example.com", MailFromStatus: "FAILED"}}, check: "MAIL FROM domain", level: mailer.Warning, fix: "MX"},
		"set":          {fields: map[string]any{"configurationSetName": "main"}, check: "configuration set", level: mailer.OK},
		"no set":       {fields: map[string]any{"configurationSetName": "other"}, check: "configuration set", level: mailer.Failure, fix: `"other"`},
		"set denied":   {fields: map[string]any{"configurationSetName": "main"}, denied: []string{"GetConfigurationSet"}, check: "configuration set", level: mailer.Warning, fix: "ses:GetConfigurationSet"},
		"wrong secret": {fields: map[string]any{"accessKeySecret": "x"}, check: "account", level: mailer.Failure, fix: "does not fit"},
		"wrong region": {fields: map[string]any{"region": "eu-west-1"}, check: "sender identity", level: mailer.Failure},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := start(t, sestest.Options{})
			a := good
			if c.account != nil {
				c.account(&a)
			}
			fake.SetAccount(a)
			if c.identities == nil {
				c.identities = map[string]sestest.Identity{"example.com": {Verified: true}}
			}
			for name, i := range c.identities {
				fake.SetIdentity(name, i)
			}
			fake.AddConfigurationSet("main")
			for _, action := range c.denied {
				fake.Deny(action)
			}
			f := examine(t, sender(t, fake, c.fields))[c.check]
			if f.Level != c.level || !strings.Contains(f.Text, c.text) || !strings.Contains(f.Fix, c.fix) {
				t.Errorf("found %+v", f)
			}
			if strings.Contains(fmt.Sprint(f), "AKIA") {
				t.Errorf("the finding has the key: %+v", f)
			}
		})
	}
}
