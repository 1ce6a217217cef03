package mailer_test

import (
	"strings"
	"testing"
	"time"

	"idp/mailer"
	"idp/store"
)

func TestTemplatesThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*store.MailTemplate)
		want   string
	}{
		"unclosed variable":   {content("<p>{{ code }}</p>\n<p>{{ application.name </p>"), "line 2: {{ is not closed"},
		"closed on next line": {content("{{ code }}\n\n{{ link\n}}"), "line 3: {{ is not closed"},
		"typo":                {content("<p>\n{{ code }} {{ aplication.name }}</p>"), `line 2: there is no variable "aplication.name": did you mean "application.name"?`},
		"case":                {content("{{ Code }}"), `did you mean "code"?`},
		"unknown":             {content("{{ code }} {{ weather }}"), `there is no variable "weather": there are application.name, code`},
		"helper":              {content("{{ code }} {{ #if code }}"), "is no variable"},
		"no code":             {content("<p>Hello</p>"), "needs {{ code }}"},
		"code in a comment":   {content("<!-- <p>{{ code }}</p>"), "where nobody reads them"},
		"code in a tag":       {content(`<a href="https://x.example>{{ code }}</a>`), "where nobody reads them"},
		"tag not closed":      {content("{{ code }}\n<div>\n<p>x</p>"), "line 2: <div> is never closed"},
		"tags crossed":        {content("{{ code }}<b>\n<i></b></i>"), "line 2: </b> stands where <i> of line 2 is open"},
		"tag closes nothing":  {content("{{ code }}\n</table>"), "line 2: </table> closes nothing"},
		"script":              {content("{{ code }}\n\n<script>alert(1)</script>"), "line 3: <script> is not for mails"},
		"handler":             {content(`{{ code }}<img src="x" onerror="alert(1)">`), "line 1: onerror runs a script"},
		"javascript":          {content(`{{ code }}<a href=" java` + "\n" + `script:alert(1)">x</a>`), "href is not an address of the web"},
		"javascript, hidden":  {content(`{{ code }}<a href="&#1;javascript:alert(1)">x</a>`), "href is not an address of the web"},
		"refresh, hidden":     {content(`{{ code }}<meta http-equiv="refresh&#1;" content="0">`), "cannot send its reader elsewhere"},
		"name, hidden":        {content(`{{ code }}<a href="&#1;{{ application.name }}">x</a>`), "only {{ link }} and {{ notMe }} are"},
		"svg":                 {content(`{{ code }}<svg><style><img src=x onerror=alert(1)></style></svg>`), "<svg> is not for mails"},
		"variable as style":   {content("{{ code }}\n<style>p{color:{{ application.name }}}</style>"), "line 2: a variable in <style>"},
		"name as address":     {content(`{{ code }}<a href="{{ application.name }}">x</a>`), "only {{ link }} and {{ notMe }} are"},
		"bare attribute":      {content(`{{ code }}<a title={{application.name}}>x</a>`), "stands in quotes"},
		"not UTF-8":           {content("{{ code }}\xff"), "not in UTF-8"},
		"NUL":                 {content("{{ code }}\n\x00"), "line 2: a control character"},
		"empty":               {content(" \n"), "the content is empty"},
		"long":                {content("{{ code }}" + strings.Repeat("x", 256<<10)), "256 kB: 256 at most"},
		"too deep":            {content("{{ code }}" + strings.Repeat("<div>", 1000) + strings.Repeat("</div>", 1000)), "too deep"},
		"subject with CR LF":  {func(t *store.MailTemplate) { t.Subject = "Hi\r\nBcc: all@example.com" }, "line break"},
		"subject variable":    {func(t *store.MailTemplate) { t.Subject = "{{ nme }}" }, "the subject: there is no variable"},
		"long subject":        {func(t *store.MailTemplate) { t.Subject = strings.Repeat("あ", 201) }, "longer than 200"},
		"no subject":          {func(t *store.MailTemplate) { t.Subject = " " }, "the subject is empty"},
		"two addresses":       {func(t *store.MailTemplate) { t.ReplyTo = "a@example.com, b@example.com" }, "(replyTo) is more than one address"},
		"address of nobody":   {func(t *store.MailTemplate) { t.SendFrom = "Shop <shop@localhost>" }, "(sendFrom) is not an email address"},
		"name to be filled":   {func(t *store.MailTemplate) { t.SendFrom = "{{ application.name }} <a@example.com>" }, "(sendFrom) has a variable"},
		"address with CR LF":  {func(t *store.MailTemplate) { t.SendFrom = "a@example.com\r\nBcc: b@example.com" }, "(sendFrom) has a line break"},
		"type":                {func(t *store.MailTemplate) { t.ContentType = "text/rtf" }, "text/html or text/plain"},
		"usage":               {func(t *store.MailTemplate) { t.Usage = "Signin" }, "there is no mail for \"Signin\""},
		"language":            {func(t *store.MailTemplate) { t.Locale = "en_US" }, "no language tag"},
	} {
		template := htmlTemplate(store.UsageSignIn, "en", "{{ code }}")
		c.change(&template)
		if _, err := mailer.CheckTemplate(template, true); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func content(s string) func(*store.MailTemplate) {
	return func(t *store.MailTemplate) { t.Content = s }
}

func TestTemplatesThatPass(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content  string
		warnings int
	}{
		"ends left out":      {"<!doctype html><html><body><ul><li>{{ code }}<li>b</ul><table><tr><td>x</table><p>y", 0},
		"Outlook's comments": {"<!--[if mso]><table><tr><td><![endif]--><p>{{code}}</p><!--[if mso]></td></tr></table><![endif]-->", 0},
		"code in a link":     {`{{ code }}<a href="https://example.com/?c={{ code }}">x</a>`, 0},
		"images":             {`<img src="data:image/png;base64,AA" alt="">{{ code }}<br/><hr>`, 0},
		"link only":          {`<a href="{{ link }}">x</a>`, 1},
		"Logto's values":     {"{{ code }} {{ user.username }} {{ organization.id }}", 2},
		"style":              {"<style>@media(max-width:1px){p{color:red}}</style>{{ code }}", 0},
	} {
		warnings, err := mailer.CheckTemplate(htmlTemplate(store.UsageSignIn, "en", c.content), true)
		if err != nil || len(warnings) != c.warnings {
			t.Errorf("%s: %v, %q", name, err, warnings)
		}
	}
	template := htmlTemplate(store.UsageSignIn, "en", "{{ code }}")
	template.Subject, template.ReplyTo, template.SendFrom = "{{ code }}", "a@example.com", `"Shop, the" <a@example.com>`
	if warnings, err := mailer.CheckTemplate(template, true); err != nil || len(warnings) != 1 {
		t.Errorf("%v, %q", err, warnings)
	}
}

// What Logto sends is sent: only what no program could mean is refused.
func TestTemplatesFromLogtoPass(t *testing.T) {
	t.Parallel()
	template := htmlTemplate(store.UsageGeneric, "", "<b><p>{{ cod }} {{#if x}} </b><script></script>")
	if warnings, err := mailer.CheckTemplate(template, false); err != nil || len(warnings) < 4 {
		t.Errorf("%v, %q", err, warnings)
	}
	for _, bad := range []func(*store.MailTemplate){content("{{ code"), content("\xff"), content(""), func(t *store.MailTemplate) { t.Subject = "a\r\nb" },
		func(t *store.MailTemplate) { t.SendFrom = "shop@localhost" }, func(t *store.MailTemplate) { t.ReplyTo = "{{ user.primaryEmail }}" }} {
		template := htmlTemplate(store.UsageGeneric, "", "{{ code }}")
		bad(&template)
		if _, err := mailer.CheckTemplate(template, false); err == nil {
			t.Errorf("passes: %+v", template)
		}
	}
}

// A check of the worst that is short enough to be looked at ends soon.
func TestChecksEndSoon(t *testing.T) {
	t.Parallel()
	for _, s := range []string{strings.Repeat("{{", 10<<20/2), strings.Repeat("{{", 64<<10), strings.Repeat("<b>", 42<<10) + strings.Repeat("</i>", 32<<10),
		strings.Repeat("<b>", 85<<10), strings.Repeat("<a href=x>", 25<<10), "{{ code }}" + strings.Repeat("<table>", 36<<10)} {
		start := time.Now()
		mailer.CheckTemplate(htmlTemplate(store.UsageSignIn, "en", s), true)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%.20q…: %s", s, took)
		}
	}
}
