package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"

	"idp/mailer"
	"idp/mailer/ses"
	"idp/mailer/ses/sestest"
	"idp/store"
)

// logtoMail is one mail for Logto's connector.
type logtoMail struct {
	Config  json.RawMessage   `json:"config"`
	To      string            `json:"to"`
	Type    string            `json:"type"`
	Payload map[string]string `json:"payload"`
}

// logtoOutcome is what Logto's connector says of it.
type logtoOutcome struct{ ID, Code, Message string }

// logtoSES sends mails with @logto/connector-aws-ses from npm, unmodified.
func logtoSES(t *testing.T, fake *sestest.Server, mails ...logtoMail) (outcomes []logtoOutcome) {
	t.Helper()
	if err := installed("clients/logto-ses"); err != nil {
		t.Fatalf("npm ci: %v (install Node.js and npm)", err)
	}
	var in bytes.Buffer
	for _, m := range mails {
		if err := json.NewEncoder(&in).Encode(m); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("node", "send.mjs")
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stderr = "clients/logto-ses", append(rig.CleanEnv(), "AWS_ENDPOINT_URL_SESV2="+fake.URL, "NODE_NO_WARNINGS=1"), &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("logto's connector: %v", err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var o logtoOutcome
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		outcomes = append(outcomes, o)
	}
	if len(outcomes) != len(mails) {
		t.Fatalf("%d mails had %d outcomes", len(mails), len(outcomes))
	}
	return outcomes
}

// sesTemplate is one of a connector's own wordings.
type sesTemplate struct {
	UsageType string `json:"usageType"`
	Subject   string `json:"subject"`
	Content   string `json:"content"`
}

func sesTemplates(usages ...string) (out []sesTemplate) {
	for _, usage := range usages {
		out = append(out, sesTemplate{usage, usage + " – 確認", "<p>" + usage + ": {{ code }} & “quotes”, {{unknown.thing}}</p>"})
	}
	return out
}

// What SES gets of us is what it gets of Logto's connector from the same configuration,
// for every usage type and every form of a sender, but for the differences that
// docs/decisions/0015-ses.md lists.
func TestSESPayloadIsLogtos(t *testing.T) {
	t.Parallel()
	nine := []string{"SignIn", "Register", "ForgotPassword", "OrganizationInvitation", "Generic", "UserPermissionValidation", "BindNewIdentifier", "MfaVerification", "BindMfa"}
	const arn = "arn:aws:ses:us-east-1:123456789012:identity/example.com"
	type f = map[string]any
	configs := map[string]f{
		"all templates": {"templates": sesTemplates(nine...)},
		"four":          {"templates": sesTemplates("Register", "SignIn", "ForgotPassword", "Generic")},
		"everything": {"templates": sesTemplates(nine...), "emailAddressIdentityArn": arn, "configurationSetName": "main",
			"feedbackForwardingEmailAddress": "bounces@example.com", "feedbackForwardingEmailAddressIdentityArn": arn},
		"bare":        {"templates": sesTemplates("Register", "SignIn", "ForgotPassword", "Generic"), "emailAddress": "No-Reply@Example.com"},
		"in brackets": {"templates": sesTemplates("Register", "SignIn", "ForgotPassword", "Generic"), "emailAddress": "<no-reply@example.com>"},
		"spaced":      {"templates": sesTemplates("Register", "SignIn", "ForgotPassword", "Generic"), "emailAddress": "My Shop <no-reply@example.com>"},
		"quoted":      {"templates": sesTemplates("Register", "SignIn", "ForgotPassword", "Generic"), "emailAddress": `"Shop, Ltd." <no-reply@example.com>`},
	}
	fake := sestest.Start(sestest.Options{})
	t.Cleanup(fake.Close)
	var mails []logtoMail
	var names []string
	for name, fields := range configs {
		for _, usage := range nine {
			mails = append(mails, logtoMail{Config: fake.Config(fields), To: "ada@example.org", Type: usage, Payload: map[string]string{"code": "123456"}})
			names = append(names, name+", "+usage)
		}
	}
	for i, o := range logtoSES(t, fake, mails...) {
		if o.ID == "" {
			t.Errorf("%s: logto's connector says %s %s", names[i], o.Code, o.Message)
		}
	}
	theirs := fake.Mails()
	if len(theirs) != len(mails) {
		t.Fatalf("SES has %d mails of %d", len(theirs), len(mails))
	}
	for i, m := range mails {
		sendOurs(t, fake, m)
		all := fake.Mails()
		ours, want := common(t, all[len(all)-1].Payload, true), common(t, theirs[i].Payload, false)
		if !reflect.DeepEqual(ours, want) {
			t.Errorf("%s: SES gets\n%s\nlogto sends\n%s", names[i], indent(ours), indent(want))
		}
	}
}

var code = regexp.MustCompile(`\{\{\s*code\s*\}\}`)

// sendOurs sends a mail with our connector, worded by its template for the usage, else
// by the one for Generic.
func sendOurs(t *testing.T, fake *sestest.Server, m logtoMail) {
	t.Helper()
	s, err := ses.Factory(ses.Options{Endpoint: fake.URL})(m.Config)
	if err != nil {
		t.Fatal(err)
	}
	var word store.MailTemplate
	for _, one := range s.(mailer.Templated).Templates() {
		if one.Usage == store.Usage(m.Type) || word.Usage == "" && one.Usage == store.UsageGeneric {
			word = one
		}
	}
	_, err = s.Send(t.Context(), mailer.Rendered{From: "App", To: m.To, Subject: code.ReplaceAllString(word.Subject, m.Payload["code"]),
		HTML: code.ReplaceAllString(word.Content, m.Payload["code"]), Text: "text part"})
	if err != nil {
		t.Fatal(err)
	}
}

// common takes out of a request what is different on purpose, and makes sure that it is
// in ours.
func common(t *testing.T, payload []byte, ours bool) map[string]any {
	t.Helper()
	var in map[string]any
	if err := json.Unmarshal(payload, &in); err != nil {
		t.Fatal(err)
	}
	simple := in["Content"].(map[string]any)["Simple"].(map[string]any)
	subject, body := simple["Subject"].(map[string]any), simple["Body"].(map[string]any)
	html := body["Html"].(map[string]any)
	if ours {
		if subject["Charset"] != "UTF-8" || html["Charset"] != "UTF-8" || body["Text"] == nil || simple["Headers"] == nil || in["ConfigurationOverrides"] == nil {
			t.Errorf("the request is %s", payload)
		}
		delete(html, "Charset")
		delete(body, "Text")
		delete(simple, "Headers")
		delete(in, "ConfigurationOverrides")
		subject["Charset"] = "utf8"
	}
	return in
}

func indent(v any) string { return string(rig.Must(json.MarshalIndent(v, "", "  "))) }

// What Logto's connector refuses, we refuse with its words; what SES says reaches the
// operator through both.
func TestSESConfigMessagesAreLogtos(t *testing.T) {
	t.Parallel()
	fake := sestest.Start(sestest.Options{})
	t.Cleanup(fake.Close)
	var mails []logtoMail
	for _, usages := range [][]string{{"SignIn"}, {"Register", "Generic"}, {}, {"SignIn", "Register", "ForgotPassword"}} {
		templates := append([]sesTemplate{}, sesTemplates(usages...)...)
		mails = append(mails, logtoMail{Config: fake.Config(map[string]any{"templates": templates}), To: "ada@example.org", Type: "SignIn"})
	}
	for i, o := range logtoSES(t, fake, mails...) {
		_, err := ses.New(mails[i].Config)
		if err == nil || o.Message == "" || !strings.Contains(err.Error(), o.Message) {
			t.Errorf("%s: we say %v, logto's connector %q", mails[i].Config, err, o.Message)
		}
	}
	fake.Always(sestest.NotVerified("us-east-1", "no-reply@example.com"))
	m := logtoMail{Config: fake.Config(map[string]any{"templates": sesTemplates("Register", "SignIn", "ForgotPassword", "Generic")}), To: "ada@example.org", Type: "SignIn",
		Payload: map[string]string{"code": "123456"}}
	o := logtoSES(t, fake, m)[0]
	s := rig.Must(ses.Factory(ses.Options{Endpoint: fake.URL})(m.Config))
	_, err := s.Send(t.Context(), mailer.Rendered{To: m.To, Subject: "s", HTML: "h"})
	if err == nil || o.Code != "invalid_response" || o.Message == "" || !strings.Contains(err.Error(), o.Message) {
		t.Errorf("we say %v, logto's connector %s %q", err, o.Code, o.Message)
	}
}

// aws-ses-v2-local from npm, unmodified: somebody else's reading of SES's API.
func TestSESLocal(t *testing.T) {
	t.Parallel()
	if err := installed("clients/ses-local"); err != nil {
		t.Fatalf("npm ci: %v (install Node.js and npm)", err)
	}
	address := rig.FreeAddr(t)
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command("node", "node_modules/aws-ses-v2-local/dist/cli.js", "--host", "127.0.0.1", "--port", port)
	cmd.Dir, cmd.Stderr = "clients/ses-local", os.Stderr
	cmd.Env = append(rig.CleanEnv(), "AWS_SES_ACCOUNT="+sesAccount)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	url := "http://" + address
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get(url + "/health-check"); err == nil {
			resp.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("aws-ses-v2-local does not answer")
		}
	}
	s := rig.Must(ses.Factory(ses.Options{Endpoint: url})([]byte(`{"accessKeyId":"any","accessKeySecret":"any","region":"aws-ses-v2-local","emailAddress":"本屋<no-reply@example.com>"}`)))
	receipt, err := s.Send(t.Context(), mailer.Rendered{To: "ada@example.org", Subject: "確認コード", Text: "コード 123456", HTML: "<p>コード 123456</p>", ReplyTo: "help@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	resp := rig.Must(http.Get(url + "/store"))
	defer resp.Body.Close()
	var kept struct {
		Emails []struct {
			MessageID   string
			From        string
			ReplyTo     []string
			Destination struct{ To []string }
			Subject     string
			Body        struct{ HTML, Text string }
			Headers     []struct{ Name, Value string }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&kept); err != nil {
		t.Fatal(err)
	}
	if len(kept.Emails) != 1 {
		t.Fatalf("it has %+v", kept)
	}
	m := kept.Emails[0]
	if m.MessageID != receipt.Provider || m.From != "=?utf-8?q?=E6=9C=AC=E5=B1=8B?= <no-reply@example.com>" || m.Destination.To[0] != "ada@example.org" ||
		m.Subject != "確認コード" || m.Body.Text != "コード 123456" || m.Body.HTML != "<p>コード 123456</p>" || m.ReplyTo[0] != "help@example.com" ||
		fmt.Sprint(m.Headers) != "[{Auto-Submitted auto-generated}]" {
		t.Errorf("it has %+v for %s", m, receipt.Provider)
	}
	q, err := s.(mailer.Rated).Quota(t.Context())
	if err != nil || q != (mailer.Quota{PerSecond: 1, Day: 200, Sent: 3, Sandbox: true}) {
		t.Errorf("the quota is %+v %v", q, err)
	}
}

// sesAccount is an account in the sandbox, with all that aws-ses-v2-local asks for.
const sesAccount = `{"DedicatedIpAutoWarmupEnabled": false, "EnforcementStatus": "HEALTHY", "ProductionAccessEnabled": false, "SendingEnabled": true,
	"SendQuota": {"Max24HourSend": 200, "MaxSendRate": 1, "SentLast24Hours": 3}, "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE"]},
	"Details": {"AdditionalContactEmailAddresses": [], "ContactLanguage": "EN", "MailType": "TRANSACTIONAL", "UseCaseDescription": "codes",
		"WebsiteURL": "https://example.com", "ReviewDetails": {"CaseId": "1", "Status": "GRANTED"}}}`

// A person signs up with a code that went through SES.
func TestSignUpThroughSES(t *testing.T) {
	t.Parallel()
	for _, engine := range rig.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			fake := sestest.Start(sestest.Options{})
			t.Cleanup(fake.Close)
			fake.Next(sestest.Unavailable) // the queue tries again
			s := rig.Install(t, engine, "IDP_AWS_ENDPOINT_URL="+fake.URL)
			config := s.Dir + "/ses.json"
			if err := os.WriteFile(config, fake.Config(nil), 0o600); err != nil {
				t.Fatal(err)
			}
			s.Run("connector", "set", "aws-ses-mail", "--file", config)
			if err := os.Remove(config); err != nil {
				t.Fatal(err)
			}
			s.Start()
			v := rig.NewVisitor(t, s)
			r := s.Request(s.NewClient(), "first_screen", "register")
			p := v.Enter(r, "ada@example.org").Is(200)
			for deadline := time.Now().Add(30 * time.Second); fake.Accepted() == 0; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("no mail came\n%s", s.Log.String())
				}
			}
			m := fake.Mails()[0]
			if m.To != "ada@example.org" || m.From != "Example<no-reply@example.com>" {
				t.Errorf("SES got %+v", m)
			}
			v.Submit(p, "/verify", "code", rig.CodeIn(m.Text)).Answer(r)
			if log := s.Log.String(); strings.Contains(log, "AKIA") || strings.Contains(log, "ada@example.org") {
				t.Errorf("the log has a key or an address:\n%s", log)
			}
		})
	}
}
