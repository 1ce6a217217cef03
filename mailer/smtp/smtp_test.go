package smtp_test

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	smtpd "github.com/emersion/go-smtp"

	"idp/mailer"
)

func TestMailArrives(t *testing.T) {
	t.Parallel()
	server := newSink(t, upgrade, nil)
	s := server.sender(t, config{"tls": config{"policy": "starttls", "ca": server.ca}, "auth": config{"user": "ada", "pass": "secret", "type": "login"},
		"replyTo": "Help <help@shop.example>"})
	if _, err := send(t, s, mail); err != nil {
		t.Fatal(err)
	}
	got := server.got()
	if len(got) != 1 || got[0].from != "no-reply@shop.example" || got[0].to != "ada@example.com" {
		t.Fatalf("%+v", got)
	}
	m := read(t, got[0].text)
	for name, want := range map[string]string{
		"From": `"Shop" <no-reply@shop.example>`, "To": "<ada@example.com>", "Reply-To": `"Help" <help@shop.example>`,
		"Subject": "Sign in to Bookstore", "Message-Id": "<01j9m1@shop.example>", "Auto-Submitted": "auto-generated", "Mime-Version": "1.0",
		"User-Agent": "", "X-Mailer": "", "Bcc": "",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if at, err := m.Header.Date(); err != nil || time.Since(at) > time.Minute {
		t.Error(at, err)
	}
	text, html := parts(t, m)
	if text != "Your code: 123456\r\n" || html != "<p>Your code: 123456</p>\r\n" {
		t.Errorf("%q %q", text, html)
	}
}

func TestSecondAttemptHasTheSameMessageID(t *testing.T) {
	t.Parallel()
	server := newSink(t, bare, nil)
	s := server.sender(t, nil)
	for range 2 {
		if _, err := send(t, s, mail); err != nil {
			t.Fatal(err)
		}
	}
	got := server.got()
	if a, b := read(t, got[0].text).Header.Get("Message-Id"), read(t, got[1].text).Header.Get("Message-Id"); a != b {
		t.Errorf("%s, then %s", a, b)
	}
}

func TestEveryPolicyOfTLS(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		mode   int
		policy string
		want   mailer.Class
	}{
		{"starttls", upgrade, "starttls", ""},
		{"starttls not offered", bare, "starttls", mailer.Misconfigured},
		{"tls", wrapped, "tls", ""},
		{"tls to a clear port", upgrade, "tls", mailer.Misconfigured},
		{"opportunistic", upgrade, "opportunistic", ""},
		{"opportunistic in clear", bare, "opportunistic", ""},
		{"none", bare, "none", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var encrypted bool
			server := newSink(t, c.mode, func(_ string, conn *smtpd.Conn) error {
				_, encrypted = conn.TLSConnectionState()
				return nil
			})
			s := server.sender(t, config{"tls": config{"policy": c.policy, "ca": server.ca}})
			_, err := send(t, s, mail)
			if c.want != "" {
				if e := failed(t, err, c.want); e.Hint == "" {
					t.Error("no hint")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := c.mode != bare; encrypted != want {
				t.Errorf("encrypted: %t", encrypted)
			}
		})
	}
}

func TestCertificateIsChecked(t *testing.T) {
	t.Parallel()
	server := newSink(t, upgrade, nil)
	_, other := certificate(t, "127.0.0.1")
	for name, c := range map[string]config{
		"unknown":  {"tls": config{"policy": "starttls", "ca": other}},
		"system's": {"tls": "starttls"},
		"name":     {"tls": config{"policy": "starttls", "ca": server.ca, "servername": "mail.example.com"}},
	} {
		_, err := send(t, server.sender(t, c), mail)
		if e := failed(t, err, mailer.Misconfigured); !strings.Contains(e.Hint, "certificate") {
			t.Errorf("%s: %q", name, e.Hint)
		}
	}
	if n := len(server.got()); n != 0 {
		t.Errorf("%d mails went out", n)
	}
}

func TestEveryMechanism(t *testing.T) {
	t.Parallel()
	for _, mech := range []string{"PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5"} {
		for _, method := range []string{"", mech} {
			server := newSink(t, upgrade, nil)
			server.mechs = []string{mech}
			s := server.sender(t, config{"tls": config{"policy": "starttls", "ca": server.ca}, "auth": config{"user": "ada", "pass": "secret"}, "authMethod": method})
			if _, err := send(t, s, mail); err != nil {
				t.Errorf("%s: %v", mech, err)
			}
			if !slices.Equal(server.logins, []string{mech}) {
				t.Errorf("%s: %q", mech, server.logins)
			}
			_, err := send(t, server.sender(t, config{"tls": config{"policy": "starttls", "ca": server.ca},
				"auth": config{"user": "ada", "pass": "secret-no-more"}, "authMethod": method}), mail)
			if e := failed(t, err, mailer.Misconfigured); !strings.Contains(e.Hint, "auth") {
				t.Error(e.Hint)
			}
		}
	}
}

func TestPasswordPrefersNotToBeSentInClear(t *testing.T) {
	t.Parallel()
	server := newSink(t, bare, nil)
	server.mechs = []string{"PLAIN", "LOGIN", "CRAM-MD5"}
	if _, err := send(t, server.sender(t, config{"auth": config{"user": "ada", "pass": "secret"}}), mail); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(server.logins, []string{"CRAM-MD5"}) {
		t.Error(server.logins)
	}
}

func TestServerWithoutOurMechanismIsAFaultOfTheConfiguration(t *testing.T) {
	t.Parallel()
	server := newSink(t, bare, nil)
	server.mechs = []string{"GSSAPI"}
	_, err := send(t, server.sender(t, config{"auth": config{"user": "ada", "pass": "secret"}}), mail)
	if e := failed(t, err, mailer.Misconfigured); !strings.Contains(e.Error(), "GSSAPI") {
		t.Error(e)
	}
}

func TestSignInWithATokenOfOAuth(t *testing.T) {
	t.Parallel()
	asked := 0
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.FormValue("refresh_token") != "refresh-1" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"error":"invalid_grant","error_description":"secret"}`)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"access_token":"token-1","token_type":"Bearer","expires_in":3600}`)
	}))
	t.Cleanup(tokens.Close)
	server := newSink(t, bare, nil)
	server.mechs = []string{"XOAUTH2"}
	auth := config{"type": "OAuth2", "user": "ada", "clientId": "c", "clientSecret": "s", "refreshToken": "refresh-1", "accessUrl": tokens.URL}
	s := server.sender(t, config{"auth": auth, "maxMessages": 1})
	for range 2 {
		if _, err := send(t, s, mail); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 1 {
		t.Errorf("%d tokens were asked for", asked)
	}
	auth["refreshToken"] = "refresh-0"
	_, err := send(t, server.sender(t, config{"auth": auth}), mail)
	if e := failed(t, err, mailer.Misconfigured); !strings.Contains(e.Error(), "invalid_grant") {
		t.Error(e)
	}
	auth["accessUrl"] = "http://127.0.0.1:1/"
	_, err = send(t, server.sender(t, config{"auth": auth}), mail)
	failed(t, err, mailer.Temporary)
}

func TestExamine(t *testing.T) {
	t.Parallel()
	server := newSink(t, upgrade, nil)
	secured := config{"policy": "starttls", "ca": server.ca}
	for name, c := range map[string]struct {
		config config
		want   string
	}{
		"good":     {config{"tls": secured, "auth": config{"user": "ada", "pass": "secret"}}, "mail server ok, encryption ok, sign-in ok"},
		"no auth":  {config{"tls": "none"}, "mail server ok, encryption ok, sign-in ok"},
		"password": {config{"tls": secured, "auth": config{"user": "ada", "pass": "wrong"}}, "mail server ok, encryption ok, sign-in failure"},
		"cert":     {config{"tls": "starttls"}, "mail server ok, encryption failure"},
		"port":     {config{"port": 1}, "mail server failure"},
	} {
		var got []string
		for _, f := range server.sender(t, c.config).Examine(t.Context()) {
			got = append(got, f.Check+" "+string(f.Level))
			if f.Text == "" || f.Level == mailer.Failure && f.Fix == "" {
				t.Errorf("%s: %+v", name, f)
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %q, want %s", name, got, c.want)
		}
	}
	if n := len(server.got()); n != 0 {
		t.Errorf("%d mails went out", n)
	}
}

func TestQuotaIsTheOperators(t *testing.T) {
	t.Parallel()
	s := sender(t, "127.0.0.1:1", config{"maxPerSecond": 2.5})
	if q, err := s.Quota(context.Background()); err != nil || q.PerSecond != 2.5 {
		t.Error(q, err)
	}
	if s.Address() != "no-reply@shop.example" {
		t.Error(s.Address())
	}
}

// read parses a mail as a mail program would.
func read(t testing.TB, text string) *netmail.Message {
	t.Helper()
	for l := range strings.SplitSeq(text, "\n") {
		if len(l) > 999 {
			t.Errorf("a line of %d bytes", len(l))
		}
	}
	m, err := netmail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// parts gives the two bodies, decoded.
func parts(t testing.TB, m *netmail.Message) (text, html string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatal(kind, err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	var found []string
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, p.Header.Get("Content-Type"), decode(t, p.Header.Get("Content-Transfer-Encoding"), p))
	}
	if len(found) != 4 || found[0] != "text/plain; charset=UTF-8" || found[2] != "text/html; charset=UTF-8" {
		t.Fatalf("%q", found)
	}
	return found[1], found[3]
}

func decode(t testing.TB, encoding string, r io.Reader) string {
	t.Helper()
	switch encoding {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		text, _ := io.ReadAll(r)
		var decoded []byte
		quoted, _ := json.Marshal(strings.NewReplacer("\r", "", "\n", "").Replace(string(text)))
		if err := json.Unmarshal(quoted, &decoded); err != nil {
			t.Fatal(err)
		}
		return string(decoded)
	default:
		t.Fatalf("encoding %q", encoding)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
