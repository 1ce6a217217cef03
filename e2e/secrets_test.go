package e2e_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"idp/e2e/rig"
)

// A dump of the database and the logs of a full run hold no code, token, secret,
// or address where it need not be, in no form that is read without the key.
func TestDumpAndLogsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	for _, engine := range rig.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := rig.NewServer(t, engine, "IDP_LOG_LEVEL=debug", "IDP_LOG_FORMAT=json", "IDP_OTP_LINK=true")
			s.Start()
			app := s.Lasting("spa")
			r := s.Request(app, "scope", rig.Offline, "state", "state-that-is-nobodys-business")
			v := rig.NewVisitor(t, s)
			authCode := v.SignUp(r, "ada.secret@example.com").Get("code")
			tok := s.Redeem(r, authCode)
			s.Userinfo(tok.AccessToken)
			refresh, access := s.Refresh(app, tok.RefreshToken)
			s.Refresh(app, tok.RefreshToken[:80])
			s.Call(app, "/oidc/token/revocation", url.Values{"token": {access}})
			v.Get("/oidc/session/end?state=state-that-is-nobodys-business&id_token_hint=" + tok.IDToken)
			p := v.Enter(s.Request(app, "first_screen", "reset_password"), "ada.secret@example.com")
			v.Submit(p, "/verify", "code", s.Code("ada.secret@example.com", 2))
			s.Redeem(r, authCode)
			p = rig.NewVisitor(t, s).Enter(s.Request(app), "stranger.secret@example.com")
			v.Submit(p, "/verify", "code", "123123")
			v.Get(s.Request(app, "redirect_uri", "https://evil.example/x").Path())
			v.Get(s.Request(app, "response_type", "token").Path())

			l := leaks{t: t, codes: []string{s.Code("ada.secret@example.com", 1), s.Code("ada.secret@example.com", 2), s.Code("stranger.secret@example.com", 1)},
				secrets: map[string]string{"the authorization code": authCode, "the access token": tok.AccessToken, "the ID token": tok.IDToken,
					"the refresh token": tok.RefreshToken, "the next refresh token": refresh, "the next access token": access,
					"the client secret": s.NewClient().Secret, "the instance secret": rig.TestSecret, "the verifier": r.Verifier}}
			for name, token := range map[string]string{"refresh": tok.RefreshToken, "next refresh": refresh, "access": access} {
				raw := rig.Must(base64.RawURLEncoding.DecodeString(token)) // the id of the grant is no secret
				l.secrets["the secret part of the "+name+" token"] = base64.RawURLEncoding.EncodeToString(raw[16:48])
			}
			l.addCookies(v)
			if status := s.Stop(); status != 0 {
				t.Errorf("exit status %d", status)
			}
			d := dumpOf(s)
			l.notIn(d)
			l.notInLog(s.Log.String(), "ada.secret", "stranger.secret", "nobodys-business")

			if !slices.Contains(d.find([]byte("Bookstore")), "client.name") || !slices.Contains(d.find([]byte(app.ID)), "oidc_grant.client_id") {
				t.Fatal("this is no dump of our database")
			}
			if places := d.find([]byte("stranger.secret")); len(places) > 0 {
				t.Errorf("the address of somebody without an account is in %v", places)
			}
			if places := d.find([]byte("ada.secret")); !slices.Equal(places, []string{"users.email"}) {
				t.Errorf("the account's address is in %v", places)
			}
		})
	}
}

// So do a dump and the logs while mails wait because the mail service is down.
func TestWaitingMailHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	for _, engine := range rig.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			down := rig.NewSink(t, func(*http.Request, int) int { return http.StatusServiceUnavailable })
			key := rand.Text()
			s := rig.Install(t, engine, "IDP_LOG_LEVEL=debug", "IDP_LOG_FORMAT=json")
			s.MailTo(down.URL + "/send?key=" + key)
			s.Start()
			v := rig.NewVisitor(t, s)
			v.Enter(s.Request(s.NewClient()), "ada.secret@example.com").Is(200)

			l := leaks{t: t, codes: []string{down.Mail("ada.secret@example.com", 1).Code}, secrets: map[string]string{"the key of the mail service": key}}
			l.addCookies(v)
			d := dumpOf(s)
			waits := slices.ContainsFunc(d.cells, func(c cell) bool { return c.place == "mail.payload" && len(c.value) > 100 })
			if !waits {
				t.Fatal("no mail waits")
			}
			l.notIn(d)
			if places := d.find([]byte("ada.secret")); len(places) > 0 {
				t.Errorf("the address is in %v", places)
			}
			s.Kill()
			l.notInLog(s.Log.String(), "ada.secret")
		})
	}
}

// leaks looks for secrets.
type leaks struct {
	t       *testing.T
	codes   []string
	secrets map[string]string // by what they are
}

func (l *leaks) addCookies(v *rig.Visitor) {
	n := 0
	for _, c := range v.HTTP.Jar.Cookies(rig.Must(rig.ParseURL(v.Server.Endpoint))) {
		if len(c.Value) >= 32 { // the language is no secret
			l.secrets["the cookie "+c.Name] = c.Value
			n++
		}
	}
	if n == 0 {
		l.t.Fatal("the browser has no cookie")
	}
}

func (l *leaks) notIn(d dump) {
	l.t.Helper()
	for name, secret := range l.secrets {
		for form, text := range forms(secret) {
			if places := d.find(text); len(places) > 0 {
				l.t.Errorf("%s is in the dump as %s: %v", name, form, places)
			}
		}
	}
	for _, code := range l.codes {
		if places := d.findCode(code); len(places) > 0 {
			l.t.Errorf("the code %s is in the dump: %v", code, places)
		}
	}
}

// notInLog looks through lines of JSON, also for the texts in more.
func (l *leaks) notInLog(log string, more ...string) {
	l.t.Helper()
	for name, secret := range l.secrets {
		for form, text := range forms(secret) {
			if strings.Contains(log, string(text)) {
				l.t.Errorf("%s is in the log as %s", name, form)
			}
		}
	}
	for _, text := range more {
		if strings.Contains(log, text) {
			l.t.Errorf("%q is in the log", text)
		}
	}
	for line := range strings.Lines(log) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			l.t.Fatalf("no JSON in the log: %s", line)
		}
		// Times, durations and random ids may hold any six digits.
		for _, key := range []string{"time", "took", "request_id"} {
			delete(fields, key)
		}
		for _, code := range l.codes {
			if standsAlone(fmt.Append(nil, fields), code) {
				l.t.Errorf("the code %s is in the log: %s", code, line)
			}
		}
	}
}

// forms are the ways to write a secret down that need no key to read.
func forms(secret string) map[string][]byte {
	all := map[string][]byte{}
	add := func(name string, b []byte) {
		if len(b) < 12 {
			return // too short to be no accident
		}
		all[name] = b
		all[name+" in hex"] = []byte(hex.EncodeToString(b))
		all[name+" in HEX"] = bytes.ToUpper(all[name+" in hex"])
		all[name+" in base64"] = []byte(base64.RawStdEncoding.EncodeToString(b))
		all[name+" in base64url"] = []byte(base64.RawURLEncoding.EncodeToString(b))
	}
	add("text", []byte(secret))
	parts := strings.Split(secret, ".")
	last := parts[len(parts)-1] // of an ID token the signature, without which it is worth nothing
	add("its end", []byte(last))
	bare := strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(last)
	if raw, err := base64.RawURLEncoding.DecodeString(bare); err == nil {
		add("bytes", raw)
		if len(raw) > 32 { // an access token begins with the grant's id, which is no secret
			add("last bytes", raw[len(raw)-32:])
		}
	}
	return all
}

// The search finds what it is meant to find.
func TestFindsSecrets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{"code":"123456"}`: true, "123456": true, "a123456z": true, "0123456": false, "1234567": false, "1123456 is 123456": true, "": false,
	} {
		if standsAlone([]byte(text), "123456") != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
	for in, want := range map[string]string{`\\x7b2261`: `{"a`, `a\tb\\n`: "a\tb\\n", `\\xyz`: `\xyz`} {
		if got := string(uncopy(in)); got != want {
			t.Errorf("%s is %q, want %q", in, got, want)
		}
	}
	d := dump{cells: []cell{{"t.c", bytes.Repeat([]byte{7}, 32)}}}
	found := 0
	for _, text := range forms(base64.RawURLEncoding.EncodeToString(append(make([]byte, 16), bytes.Repeat([]byte{7}, 32)...))) {
		found += len(d.find(text))
	}
	if found != 1 {
		t.Errorf("the secret half of a token was found %d times", found)
	}
}
