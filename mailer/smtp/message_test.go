package smtp_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"mime"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"idp/mailer"
)

// key makes a private key and the DNS record of its public half.
func key(t testing.TB, kind string) (text, record string) {
	t.Helper()
	var private crypto.Signer
	switch kind {
	case "rsa":
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		public, _ := x509.MarshalPKIXPublicKey(k.Public())
		private, record = k, "v=DKIM1; k=rsa; p="+base64.StdEncoding.EncodeToString(public)
	case "ed25519":
		public, k, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		private, record = k, "v=DKIM1; k=ed25519; p="+base64.StdEncoding.EncodeToString(public)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), record
}

func verify(t testing.TB, text, record string) error {
	t.Helper()
	found, err := dkim.VerifyWithOptions(strings.NewReader(text), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		if name != "s1._domainkey.shop.example" {
			t.Errorf("the record is looked for at %s", name)
		}
		return []string{record}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 {
		t.Fatalf("%d signatures", len(found))
	}
	if found[0].Domain != "shop.example" {
		t.Error(found[0].Domain)
	}
	return found[0].Err
}

// The signature is checked by another implementation than the one that makes it.
func TestSignatureVerifies(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"rsa", "ed25519"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			private, record := key(t, kind)
			server := newSink(t, bare, nil)
			s := server.sender(t, config{"dkim": config{"domain": "shop.example", "selector": "s1", "privateKey": private}, "fromEmail": "no-reply@shop.example"})
			for _, m := range []mailer.Rendered{mail, strange(), {ID: "3", To: "ada@example.com", Subject: "plain", Text: ". \r\n.\r\n\r\nend  \t \r\n\r\n\r\n"}} {
				if _, err := send(t, s, m); err != nil {
					t.Fatal(err)
				}
			}
			for _, got := range server.got() {
				if err := verify(t, got.text, record); err != nil {
					t.Errorf("%v\n%s", err, got.text)
				}
				for name, changed := range map[string]string{
					"a second From":      "From: <eve@example.com>\r\n" + got.text,
					"a second Subject":   "Subject: other\r\n" + got.text,
					"a Reply-To":         "Reply-To: <eve@example.com>\r\n" + got.text,
					"a changed To":       strings.Replace(got.text, "To: <ada@", "To: <eve@", 1),
					"a changed body":     got.text + "more\r\n",
					"another Message-ID": strings.Replace(got.text, "Message-ID: <", "Message-ID: <x", 1),
				} {
					if changed == got.text {
						t.Fatalf("%s changes nothing", name)
					}
					if verify(t, changed, record) == nil {
						t.Errorf("%s goes through", name)
					}
				}
			}
		})
	}
}

func strange() mailer.Rendered {
	m := mail
	m.ID, m.From, m.Subject = "2", `Müller, "Söhne" & 株式会社`, "مرحبا — コード 🔑 "+strings.Repeat("とても長い件名", 20)
	m.Text = "コード: 123456\n.\n..leading dots\nFrom here\n" + strings.Repeat("long ", 400) + "\n"
	m.HTML = "<p dir=\"rtl\">رمزك 123456</p>" + strings.Repeat("<span>é</span>", 300)
	return m
}

func TestTextInEveryScriptArrivesAsItWas(t *testing.T) {
	t.Parallel()
	server := newSink(t, bare, nil)
	m := strange()
	if _, err := send(t, server.sender(t, config{"fromEmail": "no-reply@bücher.example"}), m); err != nil {
		t.Fatal(err)
	}
	got := server.got()[0]
	if got.from != "no-reply@xn--bcher-kva.example" {
		t.Error(got.from)
	}
	for i := range len(got.text) {
		if got.text[i] >= 0x80 {
			t.Fatal("the mail is not ASCII")
		}
	}
	parsed := read(t, got.text)
	if subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject")); err != nil || subject != m.Subject {
		t.Errorf("%q %v", subject, err)
	}
	if from, err := netmail.ParseAddress(parsed.Header.Get("From")); err != nil || from.Name != m.From || from.Address != got.from {
		t.Errorf("%+v %v", from, err)
	}
	text, html := parts(t, parsed)
	if want := strings.ReplaceAll(m.Text, "\n", "\r\n"); strings.ReplaceAll(text, "\r\n", "\n") != m.Text && text != want {
		t.Errorf("%q", text)
	}
	if html != m.HTML {
		t.Errorf("%q", html)
	}
}

// headers are the fields of a mail that a server could act on.
func headers(t testing.TB, text string) []string {
	t.Helper()
	var names []string
	for name := range read(t, text).Header {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestHeadersCannotBeInjected(t *testing.T) {
	t.Parallel()
	server := newSink(t, bare, nil)
	s := server.sender(t, config{"fromEmail": "no-reply@shop.example"})
	if _, err := send(t, s, mail); err != nil {
		t.Fatal(err)
	}
	usual := headers(t, server.got()[0].text)
	for _, evil := range []string{
		"x\r\nBcc: eve@example.com", "x\nBcc: eve@example.com\n\nbody", "x\rBcc: eve@example.com", "x\u2028Bcc: eve@example.com", "x\x00\x0b\x0cy",
		"x\" <eve@example.com>", "x <eve@example.com>, y", "=?UTF-8?Q?x=0D=0ABcc:_eve@example.com?=", "x\r\n\r\n.\r\nMAIL FROM:<eve@example.com>", "\xff\xfe",
		"x\u0085Bcc: eve@example.com", strings.Repeat("x\r\n ", 2000),
	} {
		m := mail
		m.ID, m.From, m.Subject = evil, evil, evil
		before := len(server.got())
		if _, err := send(t, s, m); err != nil {
			t.Errorf("%q: %v", evil, err)
			continue
		}
		got := server.got()
		if len(got) != before+1 || got[before].from != "no-reply@shop.example" || got[before].to != "ada@example.com" {
			t.Fatalf("%q: %+v", evil, got[before:])
		}
		if found := headers(t, got[before].text); !slices.Equal(found, usual) {
			t.Errorf("%q: %q", evil, found)
		}
		if from, err := netmail.ParseAddressList(read(t, got[before].text).Header.Get("From")); err != nil || len(from) != 1 || from[0].Address != "no-reply@shop.example" {
			t.Errorf("%q: From is %v, %v", evil, from, err)
		}
	}
}

func TestAddressesThatAreNotOneAreNotSentTo(t *testing.T) {
	t.Parallel()
	server := newSink(t, bare, nil)
	s := server.sender(t, nil)
	for _, to := range []string{"", "a@example.com, b@example.com", "a@example.com\r\nRCPT TO:<b@example.com>", "a@example.com> SIZE=1 <b@example.com",
		"Ada <a@example.com>", `"a b"@example.com`, "a@example.com\x00", "ä@example.com"} {
		m := mail
		m.To = to
		_, err := send(t, s, m)
		failed(t, err, mailer.Rejected)
	}
	for _, set := range []func(*mailer.Rendered){
		func(m *mailer.Rendered) { m.Sender = "a@example.com, b@example.com" },
		func(m *mailer.Rendered) { m.Sender = "X\r\nBcc: y <a@example.com>" },
		func(m *mailer.Rendered) { m.ReplyTo = "a@example.com\r\nBcc: b@example.com" },
		func(m *mailer.Rendered) { m.HTML = strings.Repeat("x", 10<<20) },
	} {
		m := mail
		set(&m)
		_, err := send(t, s, m)
		failed(t, err, mailer.Rejected)
	}
	if n := server.connections(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestTemplatesSenderAndReplyTo(t *testing.T) {
	t.Parallel()
	server := newSink(t, bare, nil)
	m := mail
	m.Sender, m.ReplyTo, m.HTML = "Billing<billing@shop.example>", "accounts@shop.example", ""
	if _, err := send(t, server.sender(t, config{"replyTo": "help@shop.example"}), m); err != nil {
		t.Fatal(err)
	}
	got := server.got()[0]
	h := read(t, got.text).Header
	if got.from != "billing@shop.example" || h.Get("From") != `"Billing" <billing@shop.example>` || h.Get("Reply-To") != "<accounts@shop.example>" {
		t.Error(got.from, h)
	}
	if kind := h.Get("Content-Type"); kind != "text/plain; charset=UTF-8" {
		t.Error(kind)
	}
}

func TestReceiptHasTheServersName(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		"250 2.0.0 Ok: queued as 4X1Y2Z3abc":                                      "4X1Y2Z3abc",
		"250 OK id=1r5xAB-0000Cd-12":                                              "1r5xAB-0000Cd-12",
		"250 Ok 010201893d4e8f1a-0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0-000000":     "010201893d4e8f1a-0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0-000000",
		"250 2.0.0: 1a2b3c4d Message accepted for delivery":                       "",
		"250 2.6.0 <01j9m1@shop.example> [InternalId=1] Queued mail for delivery": "",
	} {
		addr := dialogue(t, answer)
		receipt, err := send(t, sender(t, addr, nil), mail)
		if err != nil || receipt.Provider != want {
			t.Errorf("%s gives %q, %v", answer, receipt.Provider, err)
		}
	}
}
