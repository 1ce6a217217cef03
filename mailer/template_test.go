package mailer_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"idp/mailer"
	"idp/store"
)

func htmlTemplate(usage store.Usage, locale, content string) store.MailTemplate {
	return store.MailTemplate{Usage: usage, Locale: locale, Subject: "S", Content: content, ContentType: "text/html"}
}

func preview(t *testing.T, usage store.Usage, locale string, templates ...store.MailTemplate) mailer.Rendered {
	t.Helper()
	r, err := mailer.Preview(usage, locale, templates...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The cases are those of replaceSendMessageHandlebars in Logto's connector kit, with
// the names that a mail has, and ours.
func TestVariablesAreFilledAsInLogto(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"Your verification code is {{code}}":           "Your verification code is 123456",
		"{{     code }} {{code\t}} {{\ncode\n}}":       "123456 123456 123456",
		"{{\u00a0code\u00a0}}":                         "123456",
		"{{code}} and {{foo}}":                         "123456 and {{foo}}",
		"{{application.name}}, {{ user.primaryEmail}}": "Bookstore, ada@example.com",
		"[{{application.logo}}][{{ user.name }}]":      "[][]",
		"{{ code":                    "{{ code",
		"{{ #if code }}x{{ /if }}":   "{{ #if code }}x{{ /if }}",
		"{{ codes }} {{ Code }}":     "{{ codes }} {{ Code }}",
		"{{{ code }}}":               "{123456}",
		"{{ locale }} {{ minutes }}": "en 10",
		"{{request.time}} {{request.place}} {{request.browser}}": "31 Jan 2026, 09:30 UTC 203.0.113.7 Firefox on Windows",
		"{{link}} {{notMe}}": "https://id.example.com/verify/link?t=sample https://id.example.com/not-me?t=sample",
	} {
		r := preview(t, store.UsageSignIn, "en", store.MailTemplate{Usage: store.UsageSignIn, Locale: "en", Subject: template, Content: template, ContentType: "text/plain"})
		if r.Text != want {
			t.Errorf("%q gives %q, want %q", template, r.Text, want)
		}
		if r.HTML != "" {
			t.Errorf("a plain template has an HTML part: %q", r.HTML)
		}
		if strings.ContainsAny(r.Subject, "\r\n\t") {
			t.Errorf("subject %q", r.Subject)
		}
	}
}

// What a name holds is text: not HTML, not a header, not a variable.
func TestValuesInTemplatesAreText(t *testing.T) {
	t.Parallel()
	w := setup(t)
	template := htmlTemplate(store.UsageSignIn, "en", `<p title="{{ application.name }}">{{ application.name }}: {{ code }}</p>`)
	template.Subject = "{{ application.name }}"
	if _, err := w.db.SetMailTemplates(t.Context(), []store.MailTemplate{template}); err != nil {
		t.Fatal(err)
	}
	q := w.queue(nil, quick())
	for _, name := range []string{`"><script>alert(1)</script>`, "x\r\nBcc: all@example.com", "{{ code }}", "{{code}}{{code}}"} {
		m := message(store.UsageSignIn, "en")
		m.App = name
		r, err := q.ComposeForTest(t.Context(), m, nil)
		if err != nil || strings.Contains(r.HTML, "<script") || strings.Contains(r.HTML, `=""`) || strings.ContainsAny(r.Subject, "\r\n") {
			t.Errorf("%q gives %q %q, %v", name, r.Subject, r.HTML, err)
		}
		if strings.Count(r.HTML+r.Text, "123456") != 2 || strings.Contains(r.Subject, "123456") {
			t.Errorf("%q was filled again: %q %q", name, r.Subject, r.HTML)
		}
	}
}

func TestTextPartOfAnHTMLTemplate(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"<p>One\n two</p><p>Three<br>four</p>":                                                  "One two\n\nThree\nfour\n",
		"<h1>Hi</h1>Your code:<b> {{ code }}</b>.":                                              "Hi\n\nYour code: 123456.\n",
		"<ul><li>a<li>b</ul><ol><li>c</li><li>d</li></ol>":                                      "- a\n- b\n\n1. c\n2. d\n",
		`<a href="{{ link }}">Sign in</a> now`:                                                  "Sign in: https://id.example.com/verify/link?t=sample now\n",
		`<a href="{{ link }}">{{link}}</a>`:                                                     "https://id.example.com/verify/link?t=sample\n",
		`<a href="mailto:a@b.example">a@b.example</a>`:                                          "a@b.example\n",
		`<a href="https://x.example"><img src="l.png" alt="Home"></a>`:                          "Home: https://x.example\n",
		`<div style="display: none">preheader</div><style>p{}</style><p>&amp;amp;</p>`:          "&amp;\n",
		"<table><tr><td>Where</td><td>Here</td></tr><tr><td>When</td><td>Now</td></tr></table>": "Where Here\nWhen Now\n",
		"<p>&lt;b&gt; {{ application.name }}</p>":                                               "<b> Bookstore\n",
		`<a href="https://x.example"><div>Sign in</div></a><p>or</p>`:                           "Sign in: https://x.example\n\nor\n",
		`Open <a href="https://x.example">this: </a>.`:                                          "Open this: https://x.example.\n",
		"plain words": "plain words\n",
	} {
		if r := preview(t, store.UsageSignIn, "en", htmlTemplate(store.UsageSignIn, "en", content)); r.Text != want {
			t.Errorf("%q reads %q, want %q", content, r.Text, want)
		}
	}
}

func TestWhichTemplateWordsAMail(t *testing.T) {
	t.Parallel()
	en, ja := htmlTemplate(store.UsageSignIn, "en", "operator en {{ code }}"), htmlTemplate(store.UsageSignIn, "ja", "operator ja {{ code }}")
	pt := htmlTemplate(store.UsageSignIn, "pt-BR", "operator pt {{ code }}")
	generic := htmlTemplate(store.UsageGeneric, "en", "operator generic {{ code }}")
	all := []store.MailTemplate{en, ja, pt, generic}
	for _, c := range []struct {
		usage        store.Usage
		locale, want string
	}{
		{store.UsageSignIn, "en", "operator en"}, {store.UsageSignIn, "en-GB", "operator en"}, {store.UsageSignIn, "JA-jp", "operator ja"},
		{store.UsageSignIn, "pt-PT", "operator pt"},                // reads Brazilian
		{store.UsageSignIn, "de", "Ihr Bestätigungscode"},          // we have German, the operator has not
		{store.UsageSignIn, "sv", "operator en"},                   // nobody has Swedish
		{store.UsageRegister, "en", "Your Bookstore verification"}, // Generic is a usage of its own
		{store.UsageBindMfa, "en", "operator generic"}, {store.UsageRecovered, "en", "Someone got back"},
	} {
		if r := preview(t, c.usage, c.locale, all...); !strings.HasPrefix(r.Text, c.want) {
			t.Errorf("%s %s is worded %q, want %q", c.usage, c.locale, r.Text, c.want)
		}
	}
}

// A connector's own templates stand between the operator's and ours. Its Generic one
// serves all mails with a code.
func TestTemplatesOfAConnector(t *testing.T) {
	t.Parallel()
	w := setup(t)
	own := worded{
		{Usage: store.UsageSignIn, Subject: "own", Content: "own sign-in {{code}}", ContentType: "text/html"},
		{Usage: store.UsageGeneric, Subject: "own", Content: "own generic {{code}}", ContentType: "text/html"},
	}
	operator := htmlTemplate(store.UsageForgotPassword, "en", "operator {{ code }}")
	operator.ReplyTo, operator.SendFrom = "help@example.com", "Shop <shop@example.com>"
	if _, err := w.db.SetMailTemplates(t.Context(), []store.MailTemplate{operator}); err != nil {
		t.Fatal(err)
	}
	q := w.queue(nil, quick())
	for i, c := range []struct {
		usage store.Usage
		want  string
	}{
		{store.UsageSignIn, "own sign-in 123456"}, {store.UsageRegister, "own generic 123456"}, {store.UsageForgotPassword, "operator 123456"},
		{store.UsageRecovered, "Someone got back"}, {store.UsageNoAccount, "Someone asked"}, {store.UsageMfaVerification, "own generic 123456"},
	} {
		r, err := q.ComposeForTest(t.Context(), message(c.usage, "en"), own)
		if err != nil || !strings.HasPrefix(r.Text, c.want) {
			t.Errorf("%d %s: %q, %v", i, c.usage, r.Text, err)
		}
		if from := c.usage == store.UsageForgotPassword; (r.ReplyTo != "") != from || (r.Sender != "") != from {
			t.Errorf("%s goes from %q, answers to %q", c.usage, r.Sender, r.ReplyTo)
		}
	}
}

// While the templates cannot be read, those read last are used; before the first time
// the mail waits.
func TestTemplatesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := setup(t)
	if _, err := w.db.SetMailTemplates(t.Context(), []store.MailTemplate{htmlTemplate(store.UsageSignIn, "en", "operator {{ code }}")}); err != nil {
		t.Fatal(err)
	}
	s := &blind{Store: w.db, err: errors.New("gone")}
	q := w.queue(s, quick())
	var e *mailer.SendError
	if _, err := q.ComposeForTest(t.Context(), message(store.UsageSignIn, "en"), nil); !errors.As(err, &e) || e.Class != mailer.Temporary {
		t.Errorf("%v", err)
	}
	for _, s.err = range []error{nil, errors.New("gone")} {
		r, err := q.ComposeForTest(t.Context(), message(store.UsageSignIn, "en"), nil)
		if err != nil || !strings.HasPrefix(r.Text, "operator 123456") {
			t.Errorf("%q, %v", r.Text, err)
		}
	}
}

func FuzzTemplates(f *testing.F) {
	for _, seed := range []string{"{{ code }}", "<p>{{code}}</p>", `<a href="{{ link }}">x</a>`, "<ul><li>{{ code }}", "{{", "<b></i>", "<table><td>{{code}}<style>", "<a href={{code}}>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		template := htmlTemplate(store.UsageSignIn, "en", content)
		template.Subject = content
		_, err := mailer.CheckTemplate(template, true)
		r, failed := mailer.Preview(store.UsageSignIn, "en", template)
		if failed != nil || strings.ContainsAny(r.Subject, "\r\n\x00") {
			t.Fatalf("%q: %v, %q", content, failed, r.Subject)
		}
		if err == nil && !strings.Contains(r.Text, "123456") && !strings.Contains(r.Text, "https://id.example.com/verify/link") {
			t.Fatalf("%q passes and shows no code: %q", content, r.Text)
		}
	})
}

// worded is a sender with words of its own.
type worded []store.MailTemplate

func (w worded) Templates() []store.MailTemplate { return w }

func (worded) Send(context.Context, mailer.Rendered) (mailer.Receipt, error) {
	return mailer.Receipt{}, errors.New("sends nothing")
}

// blind is a store whose templates cannot be read.
type blind struct {
	mailer.Store
	err error
}

func (b *blind) MailTemplates(ctx context.Context) ([]store.MailTemplate, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Store.MailTemplates(ctx)
}
