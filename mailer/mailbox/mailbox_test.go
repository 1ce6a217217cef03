package mailbox_test

import (
	"strings"
	"testing"

	"idp/mailer/mailbox"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ name, address, text, header string }{
		"a@example.com":                    {"", "a@example.com", "a@example.com", "<a@example.com>"},
		" <a@example.com> ":                {"", "a@example.com", "<a@example.com>", "<a@example.com>"},
		"Acme<A.b+c@Example.com>":          {"Acme", "A.b+c@Example.com", "Acme<A.b+c@Example.com>", `"Acme" <A.b+c@Example.com>`},
		`"Acme, Inc" <a@example.com>`:      {"Acme, Inc", "a@example.com", `"Acme, Inc" <a@example.com>`, `"Acme, Inc" <a@example.com>`},
		"Acme, Inc <a@example.com>":        {"Acme, Inc", "a@example.com", `"Acme, Inc" <a@example.com>`, `"Acme, Inc" <a@example.com>`},
		"Bücher <a@bücher.example>":        {"Bücher", "a@xn--bcher-kva.example", "=?utf-8?q?B=C3=BCcher?= <a@xn--bcher-kva.example>", "=?utf-8?q?B=C3=BCcher?= <a@xn--bcher-kva.example>"},
		"Help (Acme) <a@mail.example.com>": {"Help (Acme)", "a@mail.example.com", `"Help (Acme)" <a@mail.example.com>`, `"Help (Acme)" <a@mail.example.com>`},
	} {
		m, err := mailbox.Parse(text)
		if err != nil || m.Name != want.name || m.Address != want.address || m.Text() != want.text || m.Header() != want.header {
			t.Errorf("%q is %+v, header %q, %v", text, m, m.Header(), err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                      "is not an email address",
		"a@localhost":                           "is not an email address",
		"a@example.com>":                        "has a > without a <",
		"a@example.com, b@example.com":          "is more than one address",
		"A <a@example.com>; B <b@example.com>":  "is more than one address",
		"b@example.com <a@example.com>":         "is more than one address",
		`"A" "B" <a@example.com>`:               "has a name with quotes in it",
		"A\r\nBcc: b@example.com <a@x.example>": "has a line break",
		"A\u2028B <a@example.com>":              "has a line break",
		"\xff <a@example.com>":                  "has a line break",
	} {
		if m, err := mailbox.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %+v, %v, want %q", text, m, err, want)
		}
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	m, err := mailbox.Parse("a@Example.com")
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Named("Shop\r\nBcc: b@example.com").Header(); got != `"Shop Bcc: b@example.com" <a@Example.com>` {
		t.Error(got)
	}
	if m.Named(" \n") != m || m.Domain() != "example.com" {
		t.Errorf("%+v, %s", m.Named(" \n"), m.Domain())
	}
}
