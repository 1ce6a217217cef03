package e2e_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"

	"idp/idptest"
)

// docs/testing.md is run as it stands there: the seed, and the tests of an app in three
// languages, which sign in to the sample app.
func TestTestingYourApp(t *testing.T) {
	t.Parallel()
	blocks := blocksOf(t, "../docs/testing.md")
	s := newDev(t, blocks["yaml"][0])
	env := append(rig.CleanEnv(), "APP_URL="+s.shop)
	repository := rig.Must(filepath.Abs(".."))

	t.Run("secret", func(t *testing.T) { // of the seed: a code that there is not is the only thing wrong
		settings := regexp.MustCompile(`(?m)^OIDC_CLIENT_ID=(.*)\nOIDC_CLIENT_SECRET=(.*)$`).FindStringSubmatch(read(t, "../docs/testing.md"))
		for secret, want := range map[string]string{settings[2]: "invalid_grant", settings[2] + "x": "invalid_client"} {
			form := url.Values{"grant_type": {"authorization_code"}, "code": {"none"}, "redirect_uri": {"http://localhost:8080/callback"}}
			r := rig.Must(http.NewRequest(http.MethodPost, s.endpoint+"/oidc/token", strings.NewReader(form.Encode())))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth(settings[1], secret)
			res := rig.Must(http.DefaultClient.Do(r))
			var body bytes.Buffer
			_, _ = body.ReadFrom(res.Body)
			_ = res.Body.Close()
			if !strings.Contains(body.String(), want) {
				t.Errorf("the secret %s: %s, not %s", secret, body.String(), want)
			}
		}
	})
	t.Run("go", func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir, "shop_test.go", blocks["go"][0])
		write(t, dir, "go.mod", "module shop\n\ngo 1.26.0\n")
		write(t, dir, "go.sum", read(t, "../go.sum"))
		runIn(t, dir, env, "go", "mod", "edit", "-require", "idp@v0.0.0", "-replace", "idp="+repository)
		if out := runIn(t, dir, append(env, "GOFLAGS=-mod=mod"), "go", "test", "-count=1", "-v", "."); !strings.Contains(out, "--- PASS") {
			t.Error(out)
		}
	})
	t.Run("idptest", func(t *testing.T) {
		for range 2 { // makes an account, then signs in to it, at once
			if res, err := idptest.SignIn(t.Context(), &http.Client{}, s.shop+"/sign-up", "Grace.New@example.com"); err != nil || res.StatusCode != http.StatusOK || res.Request.URL.Host != s.shop[len("http://"):] {
				t.Errorf("%+v, %v", res, err)
			}
		}
		_, err := idptest.SignIn(t.Context(), &http.Client{}, s.shop+"/sign-in", "nobody@")
		if err == nil || !strings.Contains(err.Error(), "address") {
			t.Errorf("a mistake on the page is told as %v", err)
		}
		// What the provider answers the app, without the app.
		stops := &http.Client{CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if r.URL.Host == "localhost:8080" {
				return http.ErrUseLastResponse
			}
			return nil
		}}
		challenge := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
		start := s.endpoint + "/oidc/auth?response_type=code&scope=openid&client_id=shopshopshop&state=x&code_challenge_method=S256&code_challenge=" + challenge +
			"&redirect_uri=" + url.QueryEscape("http://localhost:8080/callback")
		for range 2 { // the second time without a question
			res, err := idptest.SignIn(t.Context(), stops, start, "ada@example.com")
			if err != nil || !strings.Contains(res.Header.Get("Location"), "code=") {
				t.Fatalf("%+v, %v", res, err)
			}
		}
	})
	t.Run("js", func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir, "idp.mjs", blocks["js"][0])
		write(t, dir, "idp.test.mjs", blocks["js"][1])
		if out := runIn(t, dir, env, "node", "--test", "idp.test.mjs"); !strings.Contains(out, "pass 1") {
			t.Error(out)
		}
	})
	t.Run("python", func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir, "conftest.py", blocks["python"][0])
		write(t, dir, "test_shop.py", blocks["python"][1])
		python, err := virtualEnv("clients/pytest")
		if err != nil {
			t.Fatal(err)
		}
		if out := runIn(t, dir, env, rig.Must(filepath.Abs(python)), "-m", "pytest", "-q", "-p", "no:cacheprovider"); !strings.Contains(out, "1 passed") {
			t.Error(out)
		}
	})
}

// blocksOf gives the blocks of code of a page, by their language.
func blocksOf(t *testing.T, page string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$").FindAllStringSubmatch(read(t, page), -1) {
		out[m[1]] = append(out[m[1]], m[2])
	}
	return out
}

// devServer is an instance for development, with its sample app.
type devServer struct {
	endpoint, shop string
}

// newDev starts idp dev with a seed.
func newDev(t *testing.T, seed string) devServer {
	t.Helper()
	dir, address, shop := t.TempDir(), rig.FreeAddr(t), rig.FreeAddr(t)
	write(t, dir, "seed.yaml", seed)
	local := func(address string) string { return "http://localhost:" + address[strings.LastIndex(address, ":")+1:] }
	d := devServer{local(address), local(shop)}
	var log rig.LockedBuffer
	cmd := exec.Command(rig.Binary, "dev", "--listen", address, "--bookstore-listen", shop, "--seed", "seed.yaml")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(rig.CleanEnv(), "IDP_LIMIT_RECIPIENT_SENDS=off"), &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
		if t.Failed() {
			t.Log(log.String())
		}
	})
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if res, err := http.Get(d.endpoint + "/readyz"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return d
			}
		}
	}
	t.Fatal("idp dev is not ready")
	return d
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runIn gives what a command prints.
func runIn(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, slices.Clone(env)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
