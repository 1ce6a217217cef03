package mailer

import (
	"strings"
	"testing"
	"time"

	"idp/store"
)

// BenchmarkRender measures a mail of an app that had one before.
func BenchmarkRender(b *testing.B) {
	m := store.Message{To: "ada@example.com", Usage: store.UsageSignIn, Locale: "en", Code: "123456", CodeTTL: 10, App: "Bookstore",
		Browser: "Firefox on Windows", Place: "203.0.113.7", Asked: time.Unix(1e9, 0)}
	var r renderer
	for b.Loop() {
		if _, err := r.render(m); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTemplate measures a mail in the operator's words, 20 kB of HTML.
func BenchmarkTemplate(b *testing.B) {
	m := store.Message{To: "ada@example.com", Usage: store.UsageSignIn, Locale: "en", Code: "123456", CodeTTL: 10, App: "Bookstore", Asked: time.Unix(1e9, 0)}
	words := []store.MailTemplate{{Usage: store.UsageSignIn, Locale: "en", Subject: "{{ application.name }}",
		Content: "<p>{{ code }}</p>" + strings.Repeat("<p>Hello, reader</p>", 1000)}}
	var r renderer
	for b.Loop() {
		if _, err := r.compose(m, words, nil); err != nil {
			b.Fatal(err)
		}
	}
}
