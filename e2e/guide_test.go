package e2e_test

import (
	"bytes"
	"image/color"
	"image/png"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"idp/mailer/ses/sestest"
)

// The whole guide, in the browser, by the words on its pages: from an instance that has nothing
// to an app that a person signs in to with a mail in the operator's own words.
func TestGuide(t *testing.T) {
	t.Parallel()
	python, err := virtualEnv("clients/logto-flask")
	if err != nil {
		t.Fatal(err)
	}
	for _, engine := range rig.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			fake := sestest.Start(sestest.Options{})
			t.Cleanup(fake.Close)
			s := rig.Install(t, engine, "IDP_AWS_ENDPOINT_URL="+fake.URL, "IDP_ADMIN_EMAILS="+owner)
			s.Start()
			g := guide{Server: s, ses: fake, b: tab{t, chromium(t, chromedp.WindowSize(1280, 800))}}
			g.entersByLink()
			folder, home := g.createsBookstore()
			g.setsEmailUp()
			g.wordsMails()
			g.brands()
			g.bookstoreRuns(python, folder, home)
			g.seesWhatHappened()
			g.entersByCode()
		})
	}
}

const owner = "owner@example.com"

// guide is somebody's way through the console.
type guide struct {
	*rig.Server
	ses *sestest.Server
	b   tab
}

// entersByLink is the way in before mail is set up.
func (g guide) entersByLink() {
	g.T.Helper()
	link := regexp.MustCompile(`https?://\S+`).FindString(g.Run("admin", "login", owner, "--endpoint", g.Endpoint))
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		set(g.b, browser.SetPermission, browser.SetPermissionParams{Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted})
	}
	g.b.do(chromedp.Navigate(link))
	g.b.clicks("Open the console")
	g.b.sees("Get started")
}

// copied gives what is on the clipboard.
func (g guide) copied() string {
	g.T.Helper()
	return get(g.b, chromedp.Evaluate[string](`navigator.clipboard.readText()`, chromedp.EvalAwaitPromise))
}

// createsBookstore gives the folder with the pasted files, and where the app will be.
func (g guide) createsBookstore() (folder, home string) {
	g.T.Helper()
	address := rig.FreeAddr(g.T)
	_, port, _ := net.SplitHostPort(address)
	home = "http://localhost:" + port
	b := g.b
	b.clicks("Applications")
	b.clicks("Create application")
	b.clicks("Flask")
	b.fills("Name", "Bookstore")
	b.clicks("Create application")
	b.sees("Bookstore is ready")
	b.clicks("Copy")
	secret := g.copied()
	if len(secret) < 32 {
		g.T.Fatalf("the secret that was copied is %q", secret)
	}
	folder = g.T.TempDir()
	for _, name := range []string{".env", "app.py"} {
		write(g.T, folder, name, g.pasted(name))
	}
	// Not the address that was proposed: the port is taken.
	b.clicks("Settings of this application")
	b.fills("Redirect URIs", home+"/callback")
	b.fills("Post sign-out redirect URIs", home+"/")
	b.clicks("Save")
	b.sees("Saved")
	env := read(g.T, filepath.Join(folder, ".env"))
	if !strings.Contains(env, secret) {
		g.T.Errorf("the file to paste has another secret than the one that is shown")
	}
	env = regexp.MustCompile(`http://localhost:\d+/`).ReplaceAllString(strings.ReplaceAll(env, g.Endpoint+"/", "ISSUER/"), home+"/")
	write(g.T, folder, ".env", strings.ReplaceAll(env, "ISSUER/", g.Endpoint+"/"))
	b.do(chromedp.Reload())
	if shown := get(b, chromedp.Evaluate[string](bodyText)); strings.Contains(shown, secret) {
		g.T.Error("the secret is shown again")
	}
	return folder, home
}

// pasted is the code that stands under a heading.
func (g guide) pasted(heading string) string {
	g.T.Helper()
	return get(g.b, chromedp.Evaluate[string](`(() => { const of = [...document.querySelectorAll('main h3')].find(h => h.innerText.trim() === '`+heading+`');
		for (let e = of; e; e = e.nextElementSibling) { const c = e.querySelector('pre code'); if (c) return c.textContent; }
		return ''; })()`))
}

func (g guide) setsEmailUp() {
	g.T.Helper()
	b := g.b
	b.clicks("Email")
	b.clicks("Add a connector")
	b.clicks("Amazon SES")
	b.fills("Access key ID", "AKIAIOSFODNN7EXAMPLE")
	b.fills("Access key secret", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYAMISTAKENKY")
	b.fills("Region", "us-east-1")
	b.fills("Sender", "Bookstore <no-reply@example.com>")
	b.fills("Send a test mail to", "me@example.org")
	b.picks("Which mail", "Registration")
	b.clicks("Send test mail")
	b.sees("signature") // in Amazon's words
	if g.ses.Accepted() != 0 {
		g.T.Error("a mail went out with a wrong secret")
	}
	b.fills("Access key secret", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	b.clicks("Send test mail")
	if m := g.mail("me@example.org"); m.From != "Bookstore <no-reply@example.com>" {
		g.T.Errorf("the test mail is from %s", m.From)
	}
	if left := b.reads("Region"); left != "us-east-1" {
		g.T.Errorf("the region is %q after the test", left)
	}
	b.clicks("Save")
	b.sees("Amazon SES is set up")
	if shown := get(b, chromedp.Evaluate[string](`document.documentElement.outerHTML`)); strings.Contains(shown, "wJalrXUtnFEMI") {
		g.T.Error("a page has the secret of the connector")
	}
}

// mail waits for a mail to an address, the newest one, of those that SES has taken.
func (g guide) mail(to string) sestest.Mail {
	g.T.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		mails := g.ses.Mails()
		for i := len(mails) - 1; i >= 0; i-- {
			if mails[i].To == to {
				return mails[i]
			}
		}
	}
	g.T.Fatalf("no mail came to %s\n%s", to, g.Log.String())
	return sestest.Mail{}
}

// wordsMails says one mail in own words in a form, and one as JSON.
func (g guide) wordsMails() {
	g.T.Helper()
	b := g.b
	b.clicks("Email")
	b.clicks("Templates")
	b.clicks("Edit as JSON")
	b.fills("Templates", `[{"usageType": "Register", "locale": "en", "subject": "Welcome to {{ application.name }}", "content": "<p>Hello! Your code is <b>{{ code }}</b></p>"}]`)
	b.clicks("Save")
	b.sees("Saved")
	g.b.do(chromedp.Navigate(g.Endpoint + "/console/email/templates/SignIn/en"))
	b.fills("Subject", "Back to {{ application.name }}?")
	b.fills("Content", "<p>Your code is {{ kode }}</p>")
	b.clicks("Save")
	b.sees("kode") // there is no such variable; what was typed stays
	if b.reads("Subject") != "Back to {{ application.name }}?" {
		g.T.Error("what was typed is gone")
	}
	b.fills("Content", "<p>Good to see you. Your code is <b>{{ code }}</b></p>")
	b.clicks("Save")
	b.sees("Saved")
}

func (g guide) brands() {
	g.T.Helper()
	b := g.b
	b.clicks("Sign-in experience")
	b.fills("Colour", "#b00020")
	g.previews(color.RGBA{0xb0, 0x00, 0x20, 0xff}) // before it is saved
	b.clicks("Save")
	b.sees("Saved")
}

// previews waits until the preview of the sign-in page has a colour. It is a frame that no
// script gets into, so this looks at it.
func (g guide) previews(want color.RGBA) {
	g.T.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		shot, err := png.Decode(bytes.NewReader(get(g.b, chromedp.FullScreenshot(100))))
		if err != nil {
			g.T.Fatal(err)
		}
		frame := get(g.b, chromedp.Evaluate[[]int](`(() => { const r = document.querySelector('iframe').getBoundingClientRect();
			return [r.left + scrollX, r.top + scrollY, r.right + scrollX, r.bottom + scrollY].map(Math.round); })()`))
		found := 0
		for y := frame[1]; y < min(frame[3], shot.Bounds().Max.Y); y++ {
			for x := frame[0]; x < min(frame[2], shot.Bounds().Max.X); x++ {
				if color.RGBAModel.Convert(shot.At(x, y)) == want {
					found++
				}
			}
		}
		if found > 500 { // a button
			return
		}
	}
	g.T.Error("the preview does not have the colour that was typed")
}

// bookstoreRuns starts the app as it was pasted, and signs a person in to it.
func (g guide) bookstoreRuns(python, folder, home string) {
	g.T.Helper()
	a := appSite{Server: g.Server, home: home}
	cmd := exec.Command(rig.Must(filepath.Abs(python)), "-m", "flask", "--app", "app", "run", "--port", home[strings.LastIndex(home, ":")+1:])
	cmd.Dir, cmd.Env = folder, append(rig.CleanEnv(), strings.Split(strings.TrimSpace(comment.ReplaceAllString(read(g.T, filepath.Join(folder, ".env")), "")), "\n")...)
	a.home = strings.Replace(home, "localhost", "127.0.0.1", 1)
	a.runs(cmd)
	reader := tab{g.T, chromium(g.T)}
	const address = "reader@example.org"
	reader.do(chromedp.Navigate(home))
	reader.clicks("Sign in")
	reader.sees("Bookstore")
	if colour := get(reader, chromedp.Evaluate[string](`getComputedStyle(document.querySelector('main form button, form button')).backgroundColor`)); colour != "rgb(176, 0, 32)" {
		g.T.Errorf("the button is %s", colour)
	}
	reader.clicks("Create") // an account
	reader.submit(emailField, address)
	reader.do(chromedp.WaitVisible(codeField))
	m := g.mail(address)
	if m.Subject != "Welcome to Bookstore" || !strings.Contains(m.HTML, "Hello! Your code is") {
		g.T.Errorf("the mail is not in the operator's words: %s\n%s", m.Subject, m.HTML)
	}
	reader.submit(codeField, rig.CodeIn(m.Text))
	reader.sees("Signed in as " + address)
	reader.clicks("Sign out")
	reader.clicks("Sign in")
	reader.submit(emailField, address)
	reader.do(chromedp.WaitVisible(codeField))
	for deadline := time.Now().Add(20 * time.Second); m.Subject != "Back to Bookstore?" && time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		m = g.mail(address)
	}
	reader.submit(codeField, rig.CodeIn(m.Text))
	reader.sees("Signed in as " + address)
	if reader.text("body"); strings.Contains(g.Log.String(), address) {
		g.T.Error("the log has an address")
	}
}

var comment = regexp.MustCompile(`(?m)^(#.*)?\n`)

// seesWhatHappened finds in the console what was done.
func (g guide) seesWhatHappened() {
	g.T.Helper()
	b := g.b
	b.clicks("Users")
	b.sees("reader@example.org")
	b.clicks("Deliveries")
	b.sees("@example.org") // shown in part
	b.clicks("Audit log")
	b.sees("signed in")
	b.clicks("Get started")
	for _, done := range []string{"Set up email", "See a mail arrive", "Create your first application", "Sign in to it"} {
		if !get(b, chromedp.Evaluate[bool](`[...document.querySelectorAll('main ol li')].some(l => l.innerText.includes('Done:') && l.innerText.includes('`+done+`'))`)) {
			g.T.Errorf("%q does not tick itself", done)
		}
	}
}

// entersByCode is the way in from then on: with a code of eight digits, through SES.
func (g guide) entersByCode() {
	g.T.Helper()
	g.b.clicks("Sign out")
	g.b.do(chromedp.Navigate(g.Endpoint + "/console/applications"))
	g.b.submit(emailField, owner)
	g.b.do(chromedp.WaitVisible(codeField))
	code := regexp.MustCompile(`\b\d{8}\b`).FindString(g.mail(owner).Text)
	if code == "" {
		g.T.Fatalf("no code of eight digits: %s", g.mail(owner).Text)
	}
	g.b.submit(codeField, code)
	g.b.sees("Bookstore") // where they wanted to go
}
