package mailer_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"idp/mailer"
	"idp/store"
)

var update = flag.Bool("update", false, "rewrite testdata")

func message(usage store.Usage, locale string) store.Message {
	m := store.Message{
		To: "ada@example.com", Usage: usage, Locale: locale, Code: "123456", CodeTTL: 10, App: "Bookstore",
		Browser: "Firefox on Windows", Place: "203.0.113.7", Asked: time.Date(2026, 11, 23, 12, 58, 16, 0, time.UTC),
	}
	if slices.Contains(codeless, usage) {
		m.Code = ""
	}
	return m
}

var (
	coded = []store.Usage{store.UsageSignIn, store.UsageRegister, store.UsageForgotPassword, store.UsageGeneric,
		store.UsageUserPermissionValidation, store.UsageBindNewIdentifier}
	codeless = []store.Usage{store.UsageOrganizationInvitation, store.UsageRecovered, store.UsageNoAccount, store.UsageClosed}
	locales  = []string{"en", "ja", "de", "fr", "es", "pt-BR", "zh-CN", "ko", "ar"}
)

// withLinks is a message that has everything.
func withLinks(usage store.Usage, locale string) store.Message {
	m := message(usage, locale)
	m.Link, m.NotMe = "https://id.example.com/link?c=AAECAwQF&k=1", "https://id.example.com/not-me?c=AAECAwQF"
	m.Organization = "Library of Alexandria"
	return m
}

func render(t *testing.T, m store.Message) mailer.Rendered {
	t.Helper()
	r, err := mailer.Render(m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMailsLookAsApproved(t *testing.T) {
	t.Parallel()
	for _, locale := range locales {
		for _, usage := range slices.Concat(coded, codeless) {
			approve(t, fmt.Sprintf("%s.%s", usage, locale), message(usage, locale))
		}
		for _, usage := range []store.Usage{store.UsageSignIn, store.UsageOrganizationInvitation, store.UsageRecovered} {
			approve(t, fmt.Sprintf("%s.links.%s", usage, locale), withLinks(usage, locale))
		}
	}
}

func approve(t *testing.T, name string, m store.Message) {
	t.Helper()
	r := render(t, m)
	golden(t, name+".txt", "Subject: "+r.Subject+"\n\n"+r.Text)
	golden(t, name+".html", r.HTML)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		i := 0
		for i < min(len(gotLines), len(wantLines))-1 && gotLines[i] == wantLines[i] {
			i++
		}
		t.Errorf("%s changed; look at it and run: go test ./mailer -update\nline %d: %s\nwas:     %s", file, i+1, gotLines[i], wantLines[i])
	}
}

func TestFirstLineNamesAppAndCode(t *testing.T) {
	t.Parallel()
	for locale, want := range map[string]string{
		"en": "Your Bookstore verification code is 123456", "ja": "Bookstore の確認コードは 123456 です",
		"ja-JP": "Bookstore の確認コードは 123456 です", "JA": "Bookstore の確認コードは 123456 です",
		"sv": "Your Bookstore verification code is 123456", "": "Your Bookstore verification code is 123456",
		"de-AT": "Ihr Bestätigungscode für Bookstore lautet 123456",
	} {
		r := render(t, message(store.UsageSignIn, locale))
		if first, _, _ := strings.Cut(r.Text, "\n"); first != want {
			t.Errorf("locale %q starts with %q", locale, first)
		}
		if strings.Contains(r.Subject, "123456") {
			t.Errorf("the subject holds the code: %q", r.Subject)
		}
		if !strings.Contains(r.HTML, ">123456<") {
			t.Error("the code is not in one piece")
		}
	}
}

func TestHostileNamesStayText(t *testing.T) {
	t.Parallel()
	m := message(store.UsageSignIn, "en")
	m.App = "Evil\r\nBcc: all@example.com\u2028<script>alert(1)</script>\u202e\ue000{code}"
	m.Place = `"><img src=x onerror=alert(1)>`
	m.Browser = "win a prize at https://evil.example"
	r := render(t, m)
	for name, header := range map[string]string{"subject": r.Subject, "from": r.From} {
		if strings.ContainsAny(header, "\r\n\u2028\u202e") {
			t.Errorf("%s has a line break or a direction mark: %q", name, header)
		}
	}
	for _, bad := range []string{"<script", "<img", "evil.example"} {
		if strings.Contains(r.HTML, bad) {
			t.Errorf("the HTML holds %q", bad)
		}
	}
	if strings.Contains(r.Text, "evil.example") {
		t.Error("a stranger can write a link into the mail")
	}
	if !strings.Contains(r.Subject, "{code}") {
		t.Errorf("a placeholder in a name was filled: %q", r.Subject)
	}
	m.App = strings.Repeat("名", 5000)
	if n := utf8.RuneCountInString(render(t, m).From); n > 60 {
		t.Errorf("an absurd name keeps %d characters", n)
	}
	m.App = "\x00\r\n\u200b"
	if r := render(t, m); r.Subject != "Sign in to idp" {
		t.Errorf("an app without a printable name gives %q", r.Subject)
	}
}

func TestDetailsThatAreUnknownAreLeftOut(t *testing.T) {
	t.Parallel()
	m := message(store.UsageSignIn, "en")
	m.Browser, m.Place = "", ""
	r := render(t, m)
	if strings.Contains(r.Text, "Browser") || strings.Contains(r.Text, "Where") {
		t.Error(r.Text)
	}
	m.Browser = "Chrome 131.0 on macOS"
	if r := render(t, m); !strings.Contains(r.Text, "Browser: Chrome 131.0 on macOS") {
		t.Error(r.Text)
	}
}

// A usage without words of its own is worded as Generic.
func TestUsageWithoutWords(t *testing.T) {
	t.Parallel()
	for _, usage := range []store.Usage{store.UsageMfaVerification, store.UsageBindMfa, "Newsletter"} {
		r := render(t, message(usage, "en"))
		if r.Usage != usage || r.Subject != "Your Bookstore verification code" {
			t.Errorf("%s: %s %q", usage, r.Usage, r.Subject)
		}
	}
}

// A mail without a code speaks of none, whatever the message says of its life.
func TestMailWithoutACode(t *testing.T) {
	t.Parallel()
	for locale, words := range map[string][]string{"en": {"within", "Never share", "enter this"}, "ja": {"有効", "教えないで", "入力"}} {
		for _, usage := range codeless {
			r := render(t, message(usage, locale))
			for _, word := range words {
				if strings.Contains(r.Text, word) || strings.Contains(r.HTML, word) {
					t.Errorf("%s %s says %q", usage, locale, word)
				}
			}
			if r.Code != "" || strings.Contains(r.HTML, `class="code"`) {
				t.Errorf("%s %s shows a code", usage, locale)
			}
			first, _, _ := strings.Cut(r.Text, "\n")
			if first == r.Subject || strings.Count(r.HTML, first) != 2 { // as preheader and as text
				t.Errorf("%s %s starts with %q", usage, locale, first)
			}
		}
	}
}

func TestCodeFitsTheUsage(t *testing.T) {
	t.Parallel()
	for _, usage := range slices.Concat(coded, codeless) {
		m := message(usage, "en")
		m.Code = map[string]string{"": "123456", "123456": ""}[m.Code]
		if _, err := mailer.Render(m); err == nil {
			t.Errorf("%s: rendered with the code %q", usage, m.Code)
		}
	}
}

func TestMarksInValuesStayEmpty(t *testing.T) {
	t.Parallel()
	m := message(store.UsageSignIn, "en")
	m.App, m.Place = "Book\ue000store", "\ue000\ue001"
	r := render(t, m)
	if r.From != "Bookstore" || strings.Count(r.Text, "123456") != 1 || strings.Contains(r.Text, "Where") {
		t.Error(r.Text)
	}
}

func TestLongCodeIsInOnePiece(t *testing.T) {
	t.Parallel()
	m := message(store.UsageSignIn, "en")
	m.Code = "0123456789ABCDEFGHJKMNPQRS"
	golden(t, "long.en.html", render(t, m).HTML)
}

func TestLanguagesBehindTags(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"pt": "pt-BR", "pt-PT": "pt-BR", "pt-br": "pt-BR", "zh": "zh-CN", "zh-Hans": "zh-CN", "zh-Hans-SG": "zh-CN", "zh-SG": "zh-CN",
		"zh-TW": "en", "zh-Hant": "en", "zh-Hant-HK": "en", "zh-HK": "en", "ar-EG": "ar", "fr-CA": "fr", "es-419": "es", "xx": "en", "-": "en",
	} {
		if got := render(t, message(store.UsageSignIn, tag)).Locale; got != want {
			t.Errorf("%q is answered in %q, want %q", tag, got, want)
		}
	}
}

func TestMinutesHaveTheirPlural(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		locale  string
		minutes int
		want    string
	}{
		{"en", 1, "within 1 minute."}, {"en", 2, "within 2 minutes."}, {"de", 1, "1 Minute lang"}, {"de", 5, "5 Minuten lang"},
		{"fr", 1, "pendant 1 minute."}, {"fr", 2, "pendant 2 minutes."}, {"pt-BR", 1, "por 1 minuto."}, {"ja", 1, "1分間"}, {"ko", 30, "30분"},
		{"ar", 1, "خلال دقيقة واحدة"}, {"ar", 2, "خلال دقيقتين"}, {"ar", 3, "خلال 3 دقائق"}, {"ar", 10, "خلال 10 دقائق"},
		{"ar", 11, "خلال 11 دقيقة"}, {"ar", 100, "خلال 100 دقيقة"}, {"ar", 103, "خلال 103 دقائق"},
	} {
		m := message(store.UsageSignIn, c.locale)
		m.CodeTTL = c.minutes
		if r := render(t, m); !strings.Contains(r.Text, c.want) || !strings.Contains(r.HTML, c.want) {
			t.Errorf("%s, %d: no %q in\n%s", c.locale, c.minutes, c.want, r.Text)
		}
	}
}

func TestLinksAreOfTheWebAndEscaped(t *testing.T) {
	t.Parallel()
	m := withLinks(store.UsageSignIn, "en")
	m.Link = `https://id.example.com/link?a="><script>&b=1`
	r := render(t, m)
	if !strings.Contains(r.HTML, `href="https://id.example.com/link?a=&#34;&gt;&lt;script&gt;&amp;b=1"`) || strings.Contains(r.HTML, "<script") {
		t.Error(r.HTML)
	}
	if !strings.Contains(r.Text, "\n"+m.Link+"\n") {
		t.Error(r.Text)
	}
	for _, bad := range []string{"javascript:alert(1)", "https://id.example.com/a b", "https://id.example.com/\r\nBcc: x", "data:text/html,x", "//x"} {
		m.Link, m.NotMe = bad, bad
		if r := render(t, m); strings.Contains(r.HTML, "<a ") || strings.Contains(r.Text, bad) {
			t.Errorf("%q is linked", bad)
		}
	}
}

// Right to left: the page is turned around, the code and names are not.
func TestRightToLeft(t *testing.T) {
	t.Parallel()
	r := render(t, withLinks(store.UsageSignIn, "ar"))
	for _, want := range []string{`<html lang="ar" dir="rtl">`, `<bdi>Bookstore</bdi>`, `<bdi>203.0.113.7</bdi>`, `text-align:right`, `dir="ltr"`, ">123456<"} {
		if !strings.Contains(r.HTML, want) {
			t.Errorf("the HTML lacks %s", want)
		}
	}
	if !strings.Contains(r.Text, "\u2068Bookstore\u2069") || strings.ContainsAny(r.Subject+r.From, "\u2068\u2069") {
		t.Errorf("%q %q", r.Subject, r.Text)
	}
	m := message(store.UsageSignIn, "en")
	m.App = "مكتبة"
	if r := render(t, m); !strings.Contains(r.Text, "Your \u2068مكتبة\u2069 verification code") || r.From != m.App {
		t.Error(r.Text)
	}
}
