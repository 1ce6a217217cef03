package mailer_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"idp/mailer"
	"idp/store"
)

// Names are text: whatever an app is called, and whatever browser a stranger says to
// have, a mail has the elements, links and headers that it always has, and its code.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"Bookstore", `"><script>alert(1)</script>`, "x\r\nBcc: all@example.com", "{{ code }}", "\ue000\ue004", "\u202egnp.exe", "مكتبة",
		"<a href=https://evil.example>", "\u2028\u0085", "&lt;b&gt;", "</bdi>", "=?utf-8?q?x?=", "javascript:alert(1)"} {
		f.Add(seed, "Firefox on Windows", uint8(0), uint8(0))
		f.Add("Bookstore", seed, uint8(1), uint8(7))
	}
	w := setup(f)
	template := htmlTemplate(store.UsageSignIn, "en", `<p title="{{ application.name }}"><a href="{{ link }}">{{application.name}}</a> {{ request.browser }} {{ code }}</p>`)
	template.Subject = "{{ application.name }}"
	if _, err := w.db.SetMailTemplates(f.Context(), []store.MailTemplate{template}); err != nil {
		f.Fatal(err)
	}
	q := w.queue(nil, quick())
	usages, languages := slices.Concat(coded, codeless), []string{"en", "de", "ja", "ar", "fr"}
	f.Fuzz(func(t *testing.T, app, browser string, usage, language uint8) {
		plain := message(usages[int(usage)%len(usages)], languages[int(language)%len(languages)])
		plain.Link, plain.NotMe, plain.Organization = "https://id.example.com/verify/link?t=x", "https://id.example.com/not-me?t=x", "Acme"
		if plain.Code == "" {
			plain.Link = ""
		}
		odd := plain
		odd.App, odd.Browser, odd.Organization = app, browser, app
		want, got := composed(t, q, plain), composed(t, q, odd)
		plain.Browser = ""
		nameless := composed(t, q, plain)
		for _, header := range []string{got.Subject, got.From, got.To, got.ReplyTo, got.Sender} {
			if strings.ContainsFunc(header, unicode.IsControl) {
				t.Fatalf("%q %q: header %q", app, browser, header)
			}
		}
		if skeleton := elements(t, got.HTML); !maps.Equal(skeleton, elements(t, want.HTML)) && !maps.Equal(skeleton, elements(t, nameless.HTML)) {
			t.Fatalf("%q %q change the mail to %s", app, browser, got.HTML)
		}
		if plain.Code != "" && (!strings.Contains(got.Text, plain.Code) || !strings.Contains(got.HTML, plain.Code)) {
			t.Fatalf("%q %q bury the code: %s", app, browser, got.Text)
		}
		if strings.ContainsFunc(got.Text, func(r rune) bool {
			return r == '\u202e' || r >= '\ue000' && r <= '\ue005' || unicode.IsControl(r) && r != '\n'
		}) {
			t.Fatalf("%q %q: %q", app, browser, got.Text)
		}
	})
}

func composed(t *testing.T, q *mailer.Queue, m store.Message) mailer.Rendered {
	t.Helper()
	began := time.Now()
	r, err := q.ComposeForTest(t.Context(), m, nil)
	if took := time.Since(began); err != nil || took > 5*time.Second {
		t.Fatalf("%+v: %v in %s", m, err, took)
	}
	return r
}

// elements counts the elements of a page by what they are and where they lead. <bdi> is
// what a name in another script is written in.
func elements(t *testing.T, page string) map[string]int {
	t.Helper()
	count := map[string]int{}
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data == "bdi" {
			continue
		}
		key := n.Data
		for _, a := range n.Attr {
			key += " " + a.Key
			if a.Key == "href" || a.Key == "src" || a.Key == "style" {
				key += "=" + a.Val
			}
		}
		count[key]++
	}
	return count
}

// A place in a list is written in one way.
func FuzzCursor(f *testing.F) {
	f.Add("AAYkd" + strings.Repeat("A", 49))
	f.Add(strings.Repeat("_", 54))
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		if again, ok := mailer.Recursor(text); ok && again != text {
			t.Fatalf("%q is a place, and so is %q", text, again)
		}
	})
}
