package e2e_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"

	"github.com/chromedp/chromedp"

	"idp/mailer/ses/sestest"
)

// @logto/api from npm, unmodified, makes an application, sets Amazon SES up, tries it, and
// sets the experience. Then somebody signs in to that application, which stands on
// @logto/express, with a code that SES got.
func TestManagementAPI(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"clients/logto-api", "clients/logto-express"} {
		if err := installed(dir); err != nil {
			t.Fatalf("npm ci: %v (install Node.js and npm)", err)
		}
	}
	for _, engine := range rig.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			fake := sestest.Start(sestest.Options{})
			t.Cleanup(fake.Close)
			s := rig.Install(t, engine, "IDP_AWS_ENDPOINT_URL="+fake.URL)
			s.Start()
			machine, addr := s.Machine(), rig.FreeAddr(t)
			logto := func(env ...string) (out rig.Client) {
				t.Helper()
				cmd := exec.Command("node", "run.mjs")
				var stderr rig.LockedBuffer
				cmd.Dir, cmd.Stderr = "clients/logto-api", &stderr
				cmd.Env = append(append(rig.CleanEnv(), "ENDPOINT="+s.Endpoint, "CLIENT_ID="+machine.ID, "CLIENT_SECRET="+machine.Secret), env...)
				text, err := cmd.Output()
				if err != nil || strings.Contains(stderr.String(), "scope") {
					t.Fatalf("@logto/api: %v\n%s\n%s", err, stderr.String(), s.Log.String())
				}
				if err := json.Unmarshal(text, &out); err != nil {
					t.Fatalf("%v: %s", err, text)
				}
				return out
			}
			app := appSiteOf(s, addr, logto("HOME_URL=http://"+addr,
				"SES_CONFIG="+string(fake.Config(map[string]any{"templates": sesTemplates("Register", "SignIn", "ForgotPassword", "Generic")}))))
			app.first, app.private = "/profile", "/profile"
			node := exec.Command("node", "app.mjs")
			node.Dir, node.Env = "clients/logto-express", append(app.env, "NODE_ENV=production")
			app.runs(node)

			if mails := fake.Mails(); len(mails) != 1 || mails[0].To != "operator@example.com" || !strings.Contains(mails[0].HTML, "000000") {
				t.Fatalf("SES has %+v, not the test", mails)
			}
			const email = "ada@example.com"
			b := tab{t, chromium(t)}
			b.do(chromedp.Navigate(app.home+app.first), chromedp.WaitVisible(emailField))
			if lang := get(b, chromedp.Evaluate[string](`document.documentElement.lang`)); lang != "ja" {
				t.Errorf("the page is in %q, but the experience says ja", lang)
			}
			b.submit(emailField, email)
			b.do(chromedp.WaitVisible(codeField))
			b.submit(codeField, codeBySES(t, fake, email))
			b.do(chromedp.Click(chromedp.CSS(`form:has([name="confirm"]) button`)))
			app.enters(b, email)
			refusedNothing(app.Server)

			logto("EMAIL=" + email)
			if status, _ := app.Userinfo(b.text("#access-token")); status != 401 {
				t.Errorf("suspended, but the access token lives: status %d", status)
			}
		})
	}
}

// codeBySES waits for a mail to an address and gives its code.
func codeBySES(t *testing.T, fake *sestest.Server, to string) string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		for _, m := range fake.Mails() {
			if m.To == to {
				_, rest, _ := strings.Cut(m.HTML, ": ")
				return rig.CodeIn(rest)
			}
		}
	}
	t.Fatalf("SES has no mail to %s", to)
	return ""
}
