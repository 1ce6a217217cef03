package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// chromium opens a browser with a profile of its own, which a test uses for ten minutes at
// most.
func chromium(t *testing.T, flags ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Fatal("no Chromium on PATH: apt-get install chromium")
	}
	options := append(append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("allow-pre-commit-input", true), // else input before the first frame is thrown away
		chromedp.Flag("disable-sync", true), chromedp.Flag("lang", "en-US"), chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(options, flags...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 10*time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// tab is a browser tab.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func (b tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	get(b, chromedp.Steps(actions...))
}

// get runs an action and gives its value.
func get[T any](b tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		look, cancel := context.WithTimeout(b.ctx, 5*time.Second)
		defer cancel()
		where, _ := chromedp.Run(look, chromedp.Location())
		text, _ := chromedp.Run(look, chromedp.Evaluate[string](bodyText))
		b.t.Fatalf("%v\nat %s:\n%s", err, where, text)
	}
	return v
}

const bodyText = `document.body ? document.body.innerText : ''`

func (b tab) text(selector string) string {
	b.t.Helper()
	return get(b, chromedp.Text(chromedp.CSS(selector)))
}

// sees waits until the page says it.
func (b tab) sees(words string) {
	b.t.Helper()
	var text string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
		text, _ = chromedp.Run(ctx, chromedp.Evaluate[string](bodyText))
		cancel()
		if strings.Contains(strings.ToLower(text), strings.ToLower(words)) {
			return
		}
	}
	b.t.Fatalf("the page does not say %q:\n%s", words, text)
}

func (b tab) submit(selector chromedp.CSS, value string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(selector))
	b.clear(selector)
	b.do(chromedp.SendKeys(selector, value+"\r"))
}

// set sends a protocol command to the tab.
func set[P, R any](b tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	return get(b, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, command, params) })
}

func (b tab) clear(selector chromedp.CSS) {
	b.t.Helper()
	get(b, chromedp.Evaluate[string]("document.querySelector(`"+string(selector)+"`).value = ''"))
}

const (
	emailField = chromedp.CSS(`input[name="email"]`)
	codeField  = chromedp.CSS(`input[name="code"]`)
)

// dev is a running `idp dev`.
type dev struct {
	*rig.Server
	shop string
}

func startDev(t *testing.T, flags ...string) dev {
	t.Helper()
	s := &rig.Server{T: t, Dir: t.TempDir(), Engine: "sqlite"}
	addr, shop := rig.FreeAddr(t), rig.FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	_, shopPort, _ := net.SplitHostPort(shop)
	s.Endpoint = "http://localhost:" + port
	s.Cmd = exec.Command(rig.Binary, append([]string{"dev", "--listen", addr, "--bookstore-listen", shop}, flags...)...)
	s.Cmd.Env, s.Cmd.Dir = rig.CleanEnv(), s.Dir
	s.Cmd.Stdout, s.Cmd.Stderr = &s.Log, &s.Log
	if err := s.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Cmd.Process.Kill(); _ = s.Cmd.Wait() })
	d := dev{s, "http://localhost:" + shopPort}
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		ready := 0
		for _, u := range []string{s.Endpoint + "/readyz", d.shop + "/"} {
			if resp, err := http.Get(u); err == nil {
				_ = resp.Body.Close()
				if resp.StatusCode == 200 {
					ready++
				}
			}
		}
		if ready == 2 {
			return d
		}
		if time.Now().After(deadline) {
			t.Fatalf("idp dev is not ready:\n%s", s.Log.String())
		}
	}
}

// What a new user does: idp dev, sign up to Bookstore, look at the claims, sign out
// of the shop, sign in again.
func TestDevInTheBrowser(t *testing.T) {
	t.Parallel()
	d := startDev(t)
	for _, script := range []bool{true, false} {
		t.Run(fmt.Sprintf("script=%t", script), func(t *testing.T) {
			b := tab{t, chromium(t)}
			if !script {
				set(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
			}
			email := fmt.Sprintf("ada.%t@example.com", script)
			b.do(chromedp.Navigate(d.shop))
			b.do(chromedp.Click(chromedp.CSS(`a[href="/sign-up"]`)), chromedp.WaitVisible(emailField))
			b.sees("Bookstore")
			if script {
				if focused := get(b, chromedp.Evaluate[string](`document.activeElement.name`)); focused != "email" {
					t.Errorf("the focus is on %q", focused)
				}
			}
			b.submit(emailField, email)
			b.do(chromedp.WaitVisible(codeField))
			b.sees(email)
			b.submit(codeField, "000000")
			b.do(chromedp.WaitVisible(chromedp.CSS(`[role="alert"]`)))
			b.sees("4")
			b.submit(codeField, d.Code(email, 1))
			b.sees("signed in as")
			b.do(chromedp.Click(chromedp.CSS(`a[href="/claims"]`)), chromedp.WaitVisible(chromedp.CSS("#id-token")))
			var claims struct {
				Email string
				Aud   any
				AMR   []string
			}
			if err := json.Unmarshal([]byte(b.text("#id-token")), &claims); err != nil || claims.Email != email || len(claims.AMR) != 1 {
				t.Errorf("%+v %v", claims, err)
			}
			if _, ok := claims.Aud.(string); !ok {
				t.Errorf("aud is %v", claims.Aud)
			}
			if !strings.Contains(b.text("#userinfo"), email) {
				t.Error("no userinfo")
			}
			b.do(chromedp.Navigate(d.shop), chromedp.Click(chromedp.CSS(`form[action="/sign-out"] button`)))
			b.sees("signed out")
			b.do(chromedp.Click(chromedp.CSS(`a[href="/sign-in"]`)), chromedp.WaitVisible(emailField)) // the provider's session is over too
		})
	}
}

// A pasted code submits itself, once; a typed one does not.
func TestPastedCodeSubmitsItself(t *testing.T) {
	t.Parallel()
	d := startDev(t)
	b := tab{t, chromium(t)}
	b.do(chromedp.Navigate(d.shop+"/sign-up"), chromedp.WaitVisible(emailField))
	b.submit(emailField, "ada@example.com")
	b.do(chromedp.WaitVisible(codeField))
	code := d.Code("ada@example.com", 1)
	b.do(chromedp.SendKeys(codeField, code), chromedp.Sleep(700*time.Millisecond), chromedp.WaitVisible(codeField))
	b.clear(codeField)
	paste := fmt.Sprintf(`(() => { const f = document.querySelector('input[name="code"]'); f.focus();
		const d = new DataTransfer(); d.setData('text/plain', '%s %s');
		if (f.dispatchEvent(new ClipboardEvent('paste', {clipboardData: d, bubbles: true, cancelable: true}))) {
			f.value = '%s %s'; f.dispatchEvent(new InputEvent('input', {inputType: 'insertFromPaste', bubbles: true})); } })()`,
		code[:3], code[3:], code[:3], code[3:])
	get(b, chromedp.Evaluate[any](paste))
	b.sees("signed in as")
}

// Screenshots of the pages, to be looked at: IDP_TEST_SHOTS=folder.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("IDP_TEST_SHOTS") // without it the pages are visited all the same
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	d := startDev(t)
	for _, lang := range []string{"en", "ja", "ar"} {
		b := tab{t, chromium(t)}
		set(b, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
			UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36", AcceptLanguage: lang})
		shoot := func(name string) {
			t.Helper()
			for _, scheme := range []string{"light", "dark"} {
				for _, size := range []struct {
					name string
					w, h int64
				}{{"desktop", 1280, 800}, {"phone", 320, 640}} {
					if scheme == "dark" && lang != "en" && dir == "" {
						continue // its colours are looked at in English
					}
					set(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
						Width: size.w, Height: size.h, DeviceScaleFactor: 1, Mobile: size.name == "phone"})
					set(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
						Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
					b.do(chromedp.Sleep(150 * time.Millisecond))
					if get(b, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > window.innerWidth`)) {
						t.Errorf("%s %s %s scrolls sideways", name, lang, size.name)
					}
					var only []string // the dark scheme changes nothing but colours
					if scheme == "dark" {
						only = []string{"color-contrast", "link-in-text-block"}
					}
					b.accessible(strings.Join([]string{name, lang, size.name, scheme}, " "), only...)
					if dir == "" {
						continue
					}
					file := filepath.Join(dir, strings.Join([]string{name, lang, size.name, scheme}, "-")+".png")
					if err := os.WriteFile(file, get(b, chromedp.FullScreenshot(100)), 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		email := lang + "@example.com"
		b.do(chromedp.Navigate(d.shop))
		if lang == "en" {
			shoot("shop")
		}
		b.do(chromedp.Navigate(d.shop+"/sign-in"), chromedp.WaitVisible(emailField))
		shoot("sign-in")
		b.do(chromedp.Click(chromedp.CSS(".languages summary")))
		shoot("languages")
		get(b, chromedp.Evaluate[bool](`document.querySelector('input[name="email"]').form.noValidate = true`))
		b.submit(emailField, "not an address")
		b.do(chromedp.WaitVisible(chromedp.CSS(`[role="alert"]`)))
		shoot("sign-in-error")
		b.do(chromedp.Navigate(d.shop+"/sign-up"), chromedp.WaitVisible(emailField))
		shoot("register")
		b.submit(emailField, email)
		b.do(chromedp.WaitVisible(codeField))
		code := d.Code(email, 1)
		shoot("verify")
		b.submit(codeField, "000000")
		b.do(chromedp.WaitVisible(chromedp.CSS(`[role="alert"]`)))
		shoot("verify-wrong")
		b.submit(codeField, code)
		b.sees("signed in as")
		if lang == "en" {
			shoot("shop-signed-in")
			b.do(chromedp.Navigate(d.shop+"/claims"), chromedp.WaitVisible(chromedp.CSS("#id-token")))
			shoot("shop-claims")
		}
		b.do(chromedp.Navigate(d.Endpoint+"/sign-in"), chromedp.WaitVisible(chromedp.CSS(".sessions")))
		shoot("account")
		b.do(chromedp.Click(chromedp.CSS("summary")))
		shoot("account-everywhere")
		b.do(chromedp.Navigate(d.Endpoint+"/oidc/auth?client_id=bookstore000000000000&response_type=code&prompt=select_account&redirect_uri="+d.shop+"/callback"+
			"&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=somebody.else@example.com"), chromedp.WaitVisible(chromedp.CSS(`form[action="/choose"]`)))
		shoot("choose")
		b.do(chromedp.Navigate(d.Endpoint+"/oidc/session/end?client_id=bookstore000000000000"), chromedp.WaitVisible(chromedp.CSS(`form[action="/sign-out"]`)))
		shoot("sign-out")
		b.do(chromedp.Click(chromedp.CSS(`form[action="/sign-out"] button`)), chromedp.WaitVisible(chromedp.CSS(`a[href="/sign-in"]`)))
		shoot("signed-out")
		b.do(chromedp.Navigate(d.Endpoint+"/recover"), chromedp.WaitVisible(emailField))
		shoot("recover")
		b.submit(emailField, email)
		b.do(chromedp.WaitVisible(codeField))
		shoot("recover-verify")
		b.do(chromedp.Navigate(d.Endpoint + "/oidc/auth?client_id=nobody&redirect_uri=https://x.example/&response_type=code"))
		shoot("unknown-client")
		b.do(chromedp.Navigate(d.Endpoint + "/oidc/auth?client_id=bookstore000000000000&response_type=code&redirect_uri=" + d.shop + "/other"))
		shoot("redirect-mismatch")
		if lang == "en" {
			b.do(chromedp.Navigate(d.Endpoint + "/dev/inbox"))
			b.sees(code)
			shoot("inbox")
		}
	}
}
