package settings_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"idp/cmd/idp/internal/settings"
)

type everything struct {
	settings.Store
	settings.Mail
	settings.Log
	settings.Server
	settings.Webhooks
	settings.Dev
}

// parse runs the way of the command: flags, then environment, then file.
func parse(t *testing.T, args, env []string, file string) (everything, error) {
	t.Helper()
	path := ""
	if file != "" {
		path = filepath.Join(t.TempDir(), "idp.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	source, err := settings.Read(env, path)
	if err != nil {
		return everything{}, err
	}
	var e everything
	k, err := kong.New(&e, kong.Vars(settings.Defaults()), kong.Resolvers(source))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Parse(args); err != nil {
		return everything{}, err
	}
	return e, source.Complete(&e.Store)
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := "listen: :1\nendpoint: https://file.example\notp: {digits: 7, code_ttl: 5m}\ntrusted-proxies: [10.0.0.0/8, fd00::1]\n"
	e, err := parse(t, []string{"--listen", ":3"}, []string{"IDP_LISTEN=:2", "IDP_ENDPOINT=https://env.example", "HOME=/"}, file)
	if err != nil {
		t.Fatal(err)
	}
	if e.Listen != ":3" || e.Endpoint != "https://env.example" || e.OTPDigits != 7 || time.Duration(e.OTPCodeTTL) != 5*time.Minute {
		t.Errorf("got %+v", e)
	}
	if len(e.TrustedProxies) != 2 || e.TrustedProxies[1].String() != "fd00::1/128" {
		t.Errorf("trusted proxies: %v", e.TrustedProxies)
	}
	if c, err := e.OTP(); err != nil || c.Digits != 7 || c.ResendWaits[1] != 2*time.Minute {
		t.Errorf("otp: %+v, %v", c, err)
	}
}

func TestDefaultsAreTheEngines(t *testing.T) {
	t.Parallel()
	e, err := parse(t, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.OTP(); err != nil {
		t.Error(err)
	}
	if e.LimitUnknownNotices.String() != "1/24h" {
		t.Errorf("unknown notices %s", e.LimitUnknownNotices)
	}
	if e.LimitIPProof.String() != "30/h" || e.LimitIPWaits.String() != "1/30s" || e.OTPProofBits != 19 {
		t.Errorf("proof %s, waits %s, bits %d", e.LimitIPProof, e.LimitIPWaits, e.OTPProofBits)
	}
	if len(e.Off()) != 0 || e.LimitRecipientSends.String() != "5/h,15/24h" {
		t.Errorf("off %v, recipient sends %s", e.Off(), e.LimitRecipientSends)
	}
}

func TestLimitsCanBeOff(t *testing.T) {
	t.Parallel()
	e, err := parse(t, []string{"--limit-unknown-notices", "off"}, []string{"IDP_LIMIT_IP_SENDS=off"}, "limit: {unknown_sends: 2/h}")
	if err != nil {
		t.Fatal(err)
	}
	off := e.Off()
	slices.Sort(off)
	if !slices.Equal(off, []string{"IDP_LIMIT_IP_SENDS", "IDP_LIMIT_UNKNOWN_NOTICES"}) {
		t.Errorf("off: %v", off)
	}
	c, err := e.OTP()
	if err != nil || len(c.Limits.UnknownNotices) != 0 || c.Limits.UnknownSends[0].Count != 2 {
		t.Errorf("%+v %v", c.Limits, err)
	}
}

func TestGuessAlarmSetting(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"500/12h": "", "off": "", "5/24h": "IDP_LIMIT_GUESS_ALARM counts 5", "500/48h": "IDP_LIMIT_GUESS_ALARM is per 48h", "10/h,20/24h": "give one count/period"} {
		e, err := parse(t, nil, []string{"IDP_LIMIT_GUESS_ALARM=" + value}, "")
		if err != nil {
			t.Fatal(err)
		}
		c, err := e.OTP()
		switch {
		case want == "" && (err != nil || (value == "off") != (c.GuessAlarm.Count == 0)):
			t.Errorf("%s: %v, %v", value, c.GuessAlarm, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", value, err, want)
		}
		if off := slices.Contains(e.Off(), "IDP_LIMIT_GUESS_ALARM"); off != (value == "off") {
			t.Errorf("%s: off %v", value, off)
		}
	}
}

func TestMailCeilingSetting(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"5000/24h": "", "1/h": "", "100000/31d": "", "off": "", "20000000/24h": "IDP_LIMIT_MAILS counts 20000000", "5/30m": "IDP_LIMIT_MAILS is per 30m", "5/32d": "IDP_LIMIT_MAILS is per 32d", "10/h,20/24h": "give one count/period"} {
		e, err := parse(t, nil, []string{"IDP_LIMIT_MAILS=" + value}, "")
		if err != nil {
			t.Fatal(err)
		}
		err = e.CheckCeiling()
		switch {
		case want == "" && (err != nil || (value == "off") != (e.Ceiling().Count == 0)):
			t.Errorf("%s: %v, %v", value, e.Ceiling(), err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", value, err, want)
		}
	}
	if e, err := parse(t, nil, nil, ""); err != nil || e.Ceiling().Count != 0 || len(e.Off()) != 0 {
		t.Errorf("a ceiling that nobody has set: %v, off %v, %v", e.Ceiling(), e.Off(), err)
	}
}

func TestUnknownNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ env, file, want string }{
		{"IDP_LIMIT_IP_SEND=1/h", "", "did you mean IDP_LIMIT_IP_SENDS?"},
		{"IDP_COMPLETELY_ELSE=1", "", "unknown setting IDP_COMPLETELY_ELSE"},
		{"IDP_ADMIN_EMAILS=ada@example.com,ada", "", `"ada" is no email address`},
		{"", "otp: {digit: 6}", "did you mean otp_digits?"},
		{"", "listen: :1\nlisten: :2", "already defined"},
		{"", "otp_digits: 6\notp: {digits: 6}", "set twice"},
		{"", "- a list", "cannot unmarshal"},
		{"IDP_TEST_DATABASE_URL=postgres://x", "", ""},
		{"IDP_AWS_ENDPOINT_URL=https://ses.example.com", "", ""},
	} {
		_, err := parse(t, nil, []string{c.env}, c.file)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q %q: %v", c.env, c.file, err)
		}
	}
}

func TestSecretsAsFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(path, []byte("hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := parse(t, nil, []string{"IDP_SECRET_FILE=" + path, "IDP_DATABASE_URL_FILE=" + path}, "secret: other")
	if err != nil || e.Secret != "hush" || e.DatabaseURL != "hush" {
		t.Errorf("secret %q, url %q, %v", e.Secret, e.DatabaseURL, err)
	}
	if _, err := parse(t, nil, []string{"IDP_SECRET_FILE=" + path, "IDP_SECRET=x"}, ""); err == nil {
		t.Error("both forms at once were taken")
	}
	if _, err := parse(t, nil, []string{"IDP_SECRET_FILE=/nowhere"}, ""); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("missing file: %v", err)
	}
	if _, err := parse(t, []string{"--secret", "x"}, nil, ""); err == nil {
		t.Error("a secret was taken from the command line")
	}
}

func TestWindows(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"30/5m,100/h": "30/5m,100/h", "5/1h": "5/h", "15/24h": "15/24h", "20/d": "20/24h", "1/3d": "1/3d", "off": "off", "7/90s": "7/1m30s",
	} {
		var w settings.Windows
		if err := w.UnmarshalText([]byte(text)); err != nil || w.String() != want {
			t.Errorf("%q: %s, %v", text, w, err)
		}
	}
	for _, text := range []string{"", "30", "0/h", "-1/h", "5/", "5/0s", "5/x", "1/h,2/h,3/h", "5/1ms", "off,1/h"} {
		var w settings.Windows
		if err := w.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken as %s", text, w)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"14d": 336 * time.Hour, "1d12h": 36 * time.Hour, "60s": time.Minute} {
		var d settings.Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%q: %s, %v", text, d, err)
		}
	}
	for _, text := range []string{"", "0", "0s", "-5m", "5", "d", "1.5d"} {
		var d settings.Duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken as %s", text, d)
		}
	}
}

func TestParseEndpoint(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://id.example.com/": "https://id.example.com", "http://localhost:3001": "http://localhost:3001",
		"http://[::1]:3001": "http://[::1]:3001", "https://ID.Example.com:8443": "https://id.example.com:8443",
	} {
		if u, err := settings.ParseEndpoint(text); err != nil || u.String() != want {
			t.Errorf("%q: %v, %v", text, u, err)
		}
	}
	for _, text := range []string{
		"", "id.example.com", "http://id.example.com", "https://id.example.com/idp", "https://id.example.com?x", "https://id.example.com?",
		"https://a:b@id.example.com", "ftp://localhost", "https://", "https://id.example.com/#x", "http://localhost.example.com",
	} {
		if u, err := settings.ParseEndpoint(text); err == nil {
			t.Errorf("%q was taken as %v", text, u)
		}
	}
}

func TestStopSettings(t *testing.T) {
	t.Parallel()
	for delay, good := range map[string]bool{"20s": true, "5m": true, "301s": false, "1h": false} {
		if e, err := parse(t, []string{"--stop-delay", delay}, nil, ""); err != nil || (e.CheckStop() == nil) != good {
			t.Errorf("--stop-delay %s: %v, %v", delay, err, e.CheckStop())
		}
	}
}

func TestAuditSettings(t *testing.T) {
	t.Parallel()
	if e, err := parse(t, nil, nil, ""); err != nil || e.AuditKeep.String() != "365d" || e.CheckAudit() != nil {
		t.Errorf("%s, %v", e.AuditKeep, err)
	}
	for _, keep := range []string{"23h", "3651d"} {
		if e, err := parse(t, []string{"--audit-keep", keep}, nil, ""); err != nil || e.CheckAudit() == nil {
			t.Errorf("%s is taken (%v)", keep, err)
		}
	}
}

func TestMailSettings(t *testing.T) {
	t.Parallel()
	const topic = "arn:aws:sns:eu-west-1:123456789012:mail-events"
	e, err := parse(t, nil, []string{"IDP_SES_TOPICS=" + topic + ", arn:aws-cn:sns:cn-north-1:123456789012:b", "IDP_MAIL_KEEP=90d"}, "")
	if err != nil || len(e.SESTopics) != 2 || e.SESTopics[0].ARN != topic || e.MailKeep.String() != "90d" || e.CheckMail() != nil {
		t.Errorf("%+v %s, %v", e.SESTopics, e.MailKeep, err)
	}
	if e, err = parse(t, nil, nil, "ses-topics: ["+topic+"]\n"); err != nil || len(e.SESTopics) != 1 || e.MailKeep.String() != "30d" {
		t.Errorf("%+v %s, %v", e.SESTopics, e.MailKeep, err)
	}
	if _, err = parse(t, []string{"--ses-topics", "mail-events"}, nil, ""); err == nil || !strings.Contains(err.Error(), "no ARN") {
		t.Error(err)
	}
	for _, keep := range []string{"23h", "401d"} {
		if e, err = parse(t, []string{"--mail-keep", keep}, nil, ""); err != nil || e.CheckMail() == nil {
			t.Errorf("%s is taken (%v)", keep, err)
		}
	}
}
