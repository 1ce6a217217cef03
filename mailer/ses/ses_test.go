package ses_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"idp/mailer"
	"idp/mailer/ses"
	"idp/mailer/ses/sestest"
	"idp/store"
)

func start(t *testing.T, o sestest.Options) *sestest.Server {
	t.Helper()
	fake := sestest.Start(o)
	t.Cleanup(fake.Close)
	return fake
}

// sender makes the connector with fields on top of the fake's configuration.
func sender(t testing.TB, fake *sestest.Server, fields map[string]any) mailer.Sender {
	t.Helper()
	s, err := ses.Factory(ses.Options{Endpoint: fake.URL})(fake.Config(fields))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.(mailer.Closer).Close() })
	return s
}

func rendered() mailer.Rendered {
	return mailer.Rendered{ID: "1", From: "Bookstore", To: "ada@example.org", Subject: "Sign in to Bookstore", Text: "Your code is 123456",
		HTML: "<p>Your code is <b>123456</b></p>", Usage: store.UsageSignIn, Code: "123456", Locale: "en"}
}

func TestMailReachesSES(t *testing.T) {
	t.Parallel()
	fake := start(t, sestest.Options{})
	const arn = "arn:aws:ses:us-east-1:123456789012:identity/example.com"
	s := sender(t, fake, map[string]any{
		"emailAddressIdentityArn": arn, "configurationSetName": "main",
		"feedbackForwardingEmailAddress": "bounces@example.com", "feedbackForwardingEmailAddressIdentityArn": arn,
	})
	m := rendered()
	m.Subject, m.Text, m.HTML = "確認コード", "コードは 123456", "<p>コードは 123456</p>"
	m.ReplyTo = "Help <help@example.com>"
	receipt, err := s.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	got := fake.Mails()[0]
	if receipt.Provider == "" || receipt.Provider != got.ID {
		t.Errorf("the receipt says %q, SES %q", receipt.Provider, got.ID)
	}
	if got.To != m.To || got.Subject != m.Subject || got.Text != m.Text || got.HTML != m.HTML {
		t.Errorf("SES got %+v", got)
	}
	if got.From != "Example<no-reply@example.com>" || got.Set != "main" || got.FromARN != arn || got.Feedback != "bounces@example.com" {
		t.Errorf("SES got %+v", got)
	}
	if got.Headers["Auto-Submitted"] != "auto-generated" || len(got.ReplyTo) != 1 || got.ReplyTo[0] != "Help <help@example.com>" {
		t.Errorf("headers %v, reply to %v", got.Headers, got.ReplyTo)
	}
	if !strings.Contains(string(got.Payload), `"ClickTrackingEnabled":"DISABLED"`) {
		t.Errorf("links may be tracked: %s", got.Payload)
	}
}

func TestWhoTheMailIsFrom(t *testing.T) {
	t.Parallel()
	fake := start(t, sestest.Options{})
	const arn = "arn:aws:ses:us-east-1:123456789012:identity/example.com"
	words := templates("Register", "SignIn", "ForgotPassword", "Generic")
	for name, c := range map[string]struct {
		address   any
		templates any
		app, send string // what the mail asks for
		want, arn string
	}{
		"a name":                       {address: "Example<a@example.com>", app: "Bookstore", want: "Example<a@example.com>", arn: arn},
		"no name is the app's":         {address: "a@example.com", app: "Bookstore", want: `"Bookstore" <a@example.com>`, arn: arn},
		"no name, with templates":      {address: "a@example.com", templates: words, app: "Bookstore", want: "a@example.com", arn: arn},
		"an app's name in Japanese":    {address: "a@example.com", app: "本屋", want: "=?utf-8?q?=E6=9C=AC=E5=B1=8B?= <a@example.com>", arn: arn},
		"an app that injects a header": {address: "a@example.com", app: "X\r\nBcc: b@example.com", want: `"X Bcc: b@example.com" <a@example.com>`, arn: arn},
		"an app that injects a sender": {address: "a@example.com", app: `X" <b@example.com>, "Y`, want: `"X\" <b@example.com>, \"Y" <a@example.com>`, arn: arn},
		"a template's":                 {address: "a@example.com", send: "Shop <shop@example.com>", want: "Shop <shop@example.com>", arn: arn},
		"a template's, other domain":   {address: "a@example.com", send: "shop@example.net", want: "shop@example.net"},
	} {
		fields := map[string]any{"emailAddress": c.address, "emailAddressIdentityArn": arn}
		if c.templates != nil {
			fields["templates"] = c.templates
		}
		m := rendered()
		m.From, m.Sender = c.app, c.send
		if _, err := sender(t, fake, fields).Send(t.Context(), m); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		mails := fake.Mails()
		if got := mails[len(mails)-1]; got.From != c.want || got.FromARN != c.arn {
			t.Errorf("%s: from %q with %q, want %q with %q", name, got.From, got.FromARN, c.want, c.arn)
		}
	}
}

func TestNothingInAMailEndsAHeader(t *testing.T) {
	t.Parallel()
	fake := start(t, sestest.Options{})
	s := sender(t, fake, nil)
	m := rendered()
	m.Subject = "Hello\r\nBcc: all@example.com\u2028x"
	if _, err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := fake.Mails()[0].Subject; got != "Hello Bcc: all@example.com x" {
		t.Errorf("the subject is %q", got)
	}
	for field, set := range map[string]func(*mailer.Rendered){
		"to":      func(m *mailer.Rendered) { m.To = "a@example.com, b@example.com" },
		"to CRLF": func(m *mailer.Rendered) { m.To = "a@example.com\r\nBcc: b@example.com" },
		"sender":  func(m *mailer.Rendered) { m.Sender = "a@example.com\r\nBcc: b@example.com" },
		"senders": func(m *mailer.Rendered) { m.Sender = "a@example.com, b@example.com" },
		"reply":   func(m *mailer.Rendered) { m.ReplyTo = "a@example.com\nBcc: b@example.com" },
	} {
		m := rendered()
		set(&m)
		if _, err := s.Send(t.Context(), m); err == nil {
			t.Errorf("%s: sent", field)
		}
	}
	if n := fake.Accepted(); n != 1 {
		t.Errorf("%d mails went", n)
	}
}

// Every fault ends in the class that the queue needs, with SES's words, one request,
// and no key in the error.
func TestFaultsHaveClasses(t *testing.T) {
	t.Parallel()
	type want struct {
		class       mailer.Class
		words, hint string
	}
	for name, c := range map[string]struct {
		fault sestest.Fault
		want  want
	}{
		"rejected":          {sestest.NotTaken, want{mailer.Rejected, "MessageRejected: Transaction failed", "template"}},
		"sender unverified": {sestest.NotVerified("us-east-1", "no-reply@example.com"), want{mailer.Misconfigured, "is not verified", "Verify no-reply@example.com"}},
		"sandbox":           {sestest.NotVerified("us-east-1", "ada@example.org"), want{mailer.Rejected, "is not verified", "sandbox in us-east-1"}},
		"MAIL FROM":         {sestest.MailFrom, want{mailer.Misconfigured, "MailFromDomainNotVerifiedException", "MX record"}},
		"suspended":         {sestest.Suspended, want{mailer.Paused, "suspended", "dashboard"}},
		"paused":            {sestest.Paused, want{mailer.Paused, "disabled", "dashboard"}},
		"no set":            {sestest.NoSet, want{mailer.Misconfigured, "does not exist", "configuration set"}},
		"address":           {sestest.BadAddress, want{mailer.Refused, "illegal character", ""}},
		"limit":             {sestest.Limit, want{mailer.Paused, "quota", "higher"}},
		"throttled":         {sestest.Throttled, want{mailer.Throttled, "rate exceeded", ""}},
		"quota":             {sestest.Quota, want{mailer.Paused, "Daily", "higher"}},
		"denied":            {sestest.Denied, want{mailer.Misconfigured, "not authorized to perform: ses:SendEmail", "ses:SendEmail"}},
		"key":               {sestest.UnknownKey, want{mailer.Misconfigured, "security token", "accessKeyId"}},
		"500":               {sestest.Internal, want{mailer.Temporary, "Internal service error", ""}},
		"503":               {sestest.Unavailable, want{mailer.Temporary, "ServiceUnavailable", ""}},
		"hang":              {sestest.Hang, want{mailer.Temporary, "no answer within", ""}},
		"reset":             {sestest.Reset, want{mailer.Temporary, "reset", ""}},
		"taken, reset":      {sestest.TakenReset, want{mailer.Temporary, "reset", ""}},
		"suppressed": {sestest.Fault{Status: 400, Code: "MessageRejected", Message: "Address is on the suppression list for your account."},
			want{mailer.Refused, "suppression", "suppression list"}},
		"strange request":      {sestest.Fault{Status: 400, Code: "BadRequestException", Message: "Something new"}, want{mailer.Rejected, "Something new", ""}},
		"ARN":                  {sestest.Fault{Status: 400, Code: "BadRequestException", Message: "Invalid ARN"}, want{mailer.Misconfigured, "ARN", "emailAddressIdentityArn"}},
		"clock":                {sestest.Fault{Status: 403, Code: "RequestTimeTooSkewed"}, want{mailer.Misconfigured, "RequestTimeTooSkewed", "clock"}},
		"error without a code": {sestest.Fault{Status: 502}, want{mailer.Temporary, "HTTP 502", ""}},
		"throttled by gateway": {sestest.Fault{Status: 429}, want{mailer.Throttled, "HTTP 429", ""}},
		"forbidden by gateway": {sestest.Fault{Status: 403}, want{mailer.Misconfigured, "HTTP 403", ""}},
		"another place":        {sestest.Fault{Status: 302}, want{mailer.Misconfigured, "HTTP 302", "endpoint"}},
		"a key in the words":   {sestest.Fault{Status: 403, Code: "X", Message: "AKIAIOSFODNN7EXAMPLE is bad"}, want{mailer.Misconfigured, "[access key] is bad", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := start(t, sestest.Options{})
			s := sender(t, fake, nil)
			fake.Always(c.fault)
			_, err := s.Send(t.Context(), rendered())
			var e *mailer.SendError
			if !errors.As(err, &e) {
				t.Fatalf("the error is %v", err)
			}
			if e.Class != c.want.class || !strings.Contains(e.Error(), c.want.words) || !strings.Contains(e.Hint, c.want.hint) {
				t.Errorf("class %s, hint %q, error %v; want %+v", e.Class, e.Hint, e, c.want)
			}
			// What broke off, or failed in the middle, may have left.
			if want := c.fault.Break != sestest.Sound || c.fault.Status == 500 || c.fault.Status == 502; e.Unsure != want {
				t.Errorf("unsure: %t", e.Unsure)
			}
			if strings.Contains(e.Error(), "AKIA") {
				t.Errorf("the error has the key: %v", e)
			}
			if n := fake.Requests(); n != 1 {
				t.Errorf("%d requests were made", n)
			}
			fake.Always(sestest.OK)
			if _, err := s.Send(t.Context(), rendered()); err != nil {
				t.Errorf("then: %v", err)
			}
		})
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	fake := start(t, sestest.Options{})
	for name, c := range map[string]struct{ field, value, hint string }{
		"wrong secret": {"accessKeySecret", "not-the-secret", "does not fit"},
		"wrong key":    {"accessKeyId", "AKIAANOTHER", "accessKeyId"},
		"wrong region": {"region", "eu-west-1", "clock"},
	} {
		_, err := sender(t, fake, map[string]any{c.field: c.value}).Send(t.Context(), rendered())
		var e *mailer.SendError
		if !errors.As(err, &e) || e.Class != mailer.Misconfigured || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%s: %v, hint %q", name, err, e.Hint)
		}
		if strings.Contains(err.Error(), c.value) && c.field != "region" {
			t.Errorf("%s: the error has it: %v", name, err)
		}
	}
	if n := fake.Accepted(); n != 0 {
		t.Errorf("%d mails were taken", n)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	fake := sestest.Start(sestest.Options{})
	s := sender(t, fake, nil)
	fake.Close()
	_, err := s.Send(t.Context(), rendered())
	var e *mailer.SendError
	if !errors.As(err, &e) || e.Class != mailer.Temporary || e.Unsure || !strings.Contains(err.Error(), "refused") {
		t.Errorf("the error is %v", err)
	}
}

func TestGivesUpWithItsCaller(t *testing.T) {
	t.Parallel()
	fake := start(t, sestest.Options{})
	fake.Always(sestest.Hang)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := sender(t, fake, nil).Send(ctx, rendered()); err == nil || time.Since(began) > 2900*time.Millisecond { // three seconds is what it gives itself
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	fake := start(t, sestest.Options{})
	s := sender(t, fake, nil).(mailer.Rated)
	for _, c := range []struct {
		account sestest.Account
		want    mailer.Quota
	}{
		{sestest.Account{SendingEnabled: true, ProductionAccessEnabled: true, MaxSendRate: 14, Max24HourSend: 50000, SentLast24Hours: 12}, mailer.Quota{PerSecond: 14, Day: 50000, Sent: 12}},
		{sestest.Account{SendingEnabled: true, ProductionAccessEnabled: true, MaxSendRate: 500, Max24HourSend: -1}, mailer.Quota{PerSecond: 500}},
		{sestest.Account{SendingEnabled: true, MaxSendRate: 1, Max24HourSend: 200}, mailer.Quota{PerSecond: 1, Day: 200, Sandbox: true}},
		{sestest.Account{ProductionAccessEnabled: true, MaxSendRate: 1}, mailer.Quota{PerSecond: 1, Paused: true}},
		{sestest.Account{SendingEnabled: true, ProductionAccessEnabled: true, EnforcementStatus: "SHUTDOWN"}, mailer.Quota{Paused: true}},
	} {
		fake.SetAccount(c.account)
		if got, err := s.Quota(t.Context()); err != nil || got != c.want {
			t.Errorf("%+v gives %+v %v, want %+v", c.account, got, err, c.want)
		}
	}
	fake.Deny("GetAccount")
	var e *mailer.SendError
	if _, err := s.Quota(t.Context()); !errors.As(err, &e) || e.Class != mailer.Misconfigured {
		t.Errorf("the error is %v", err)
	}
}
