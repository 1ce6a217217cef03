package e2e_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// authority is a certificate authority for the tests' sites.
type authority struct {
	cert tls.Certificate
	pool *x509.CertPool
	spki string // what Chromium is told to trust
}

func newAuthority(t *testing.T, hosts ...string) authority {
	t.Helper()
	key := rig.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp test CA"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: hosts, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der := rig.Must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	cert := rig.Must(x509.ParseCertificate(der))
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return authority{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool, base64.StdEncoding.EncodeToString(sum[:])}
}

// site serves a handler over https and gives its port.
func (a authority) site(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{a.cert}}
	s.StartTLS()
	t.Cleanup(s.Close)
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	return port
}

// Three sites over https: the provider behind a proxy, the app, and somebody
// else's page that tries what a page can try. On localhost all is one site and
// http, where __Host- cookies, SameSite and most of CSP go untested.
func TestThreeSitesOverHTTPS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "id.provider.test", "shop.example.test", "other.evil.test")
	mails := rig.NewSink(t, nil)

	// The provider listens on http; the proxy in front holds the certificate.
	s := &rig.Server{T: t, Dir: t.TempDir(), Engine: "sqlite", Address: rig.FreeAddr(t)}
	back := rig.Must(url.Parse("http://" + s.Address))
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(back)
		r.Out.Host = r.In.Host
		r.SetXForwarded()
	}}
	port := ca.site(t, proxy)
	endpoint := "https://id.provider.test:" + port
	s.Env = append(rig.CleanEnv(), "IDP_ENDPOINT="+endpoint, "IDP_LISTEN="+s.Address, "IDP_DATA_DIR="+s.Dir, "IDP_TRUSTED_PROXIES=127.0.0.1/32")
	s.MailTo(mails.URL)
	s.Start()

	// The app: a relying party on another site.
	var shop http.ServeMux
	shopURL := "https://shop.example.test:" + ca.site(t, &shop)
	app := s.NewClient("--type", "traditional", "--redirect-uri", shopURL+"/callback", "--redirect-uri", shopURL+"/silent")
	inside := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.pool},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			_, p, _ := net.SplitHostPort(addr)
			return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+p)
		}}}
	ctx := oidc.ClientContext(context.Background(), inside)
	provider, err := oidc.NewProvider(ctx, endpoint+"/oidc")
	if err != nil {
		t.Fatal(err)
	}
	rp := oauth2.Config{ClientID: app.ID, ClientSecret: app.Secret, RedirectURL: shopURL + "/callback", Endpoint: provider.Endpoint(), Scopes: []string{"openid", "email"}}
	verifier := oauth2.GenerateVerifier()
	shop.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `<!doctype html><title>Shop</title><a id="go" href="/go">Sign in</a>`)
	})
	shop.HandleFunc("/go", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, rp.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("first_screen", "register")), http.StatusSeeOther)
	})
	// Some apps start by POST (OpenID Connect Core 3.1.2.1): Lax cookies stay behind then.
	shop.HandleFunc("/post", func(w http.ResponseWriter, r *http.Request) {
		u := rig.Must(url.Parse(rp.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier))))
		_, _ = io.WriteString(w, `<!doctype html><form method="post" action="`+u.Scheme+"://"+u.Host+u.Path+`">`)
		for k, v := range u.Query() {
			_, _ = fmt.Fprintf(w, `<input type="hidden" name="%s" value="%s">`, k, html.EscapeString(v[0]))
		}
		_, _ = io.WriteString(w, `<button id="go">Go</button></form>`)
	})
	shop.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		tok, err := rp.Exchange(ctx, r.URL.Query().Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		raw, _ := tok.Extra("id_token").(string)
		id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: app.ID, SupportedSigningAlgs: []string{"ES256"}}).Verify(ctx, raw)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		var claims struct{ Email string }
		_ = id.Claims(&claims)
		// The app redirects once more after its callback, as most do.
		http.Redirect(w, r, "/home?who="+url.QueryEscape(claims.Email), http.StatusSeeOther)
	})
	shop.HandleFunc("/home", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `<!doctype html><title>Shop</title>Hello `+html.EscapeString(r.URL.Query().Get("who")))
	})

	// Old single-page apps ask in a frame whether somebody is signed in.
	shop.HandleFunc("/framed", func(w http.ResponseWriter, r *http.Request) {
		silently := rp
		silently.RedirectURL = shopURL + "/silent"
		_, _ = io.WriteString(w, `<!doctype html><title>Shop</title><iframe src="`+
			html.EscapeString(silently.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("prompt", "none")))+`"></iframe>`)
	})
	shop.HandleFunc("/silent", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `<!doctype html><title>Silent</title><p id="answer">`+html.EscapeString(r.URL.Query().Get("error")+" "+r.URL.Query().Get("code")))
	})

	var evil http.ServeMux
	evilURL := "https://other.evil.test:" + ca.site(t, &evil)

	b := tab{t, chromium(t, chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1"), chromedp.Flag("ignore-certificate-errors-spki-list", ca.spki))}
	b.do(chromedp.Navigate(shopURL), chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(emailField))
	b.submit(emailField, "ada@example.com")
	b.do(chromedp.WaitVisible(codeField))
	b.submit(codeField, mails.Mail("ada@example.com", 1).Code)
	b.sees("Hello ada@example.com")

	// Every cookie of ours is __Host-, Secure, HttpOnly and Lax, bound to this host.
	cookies := set(b, network.GetCookies, network.GetCookiesParams{URLs: []string{endpoint + "/"}}).Cookies
	if len(cookies) < 2 {
		t.Errorf("%d cookies, want browser and session", len(cookies))
	}
	for _, c := range cookies {
		if !strings.HasPrefix(c.Name, "__Host-idp_") || !c.Secure || !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax || c.Path != "/" || strings.HasPrefix(c.Domain, ".") {
			t.Errorf("cookie %+v", c)
		}
	}

	// Signed in: back without a page, from a link and from a cross-site POST.
	b.do(chromedp.Navigate(shopURL), chromedp.Click(chromedp.CSS("#go")))
	b.sees("Hello ada@example.com")
	b.do(chromedp.Navigate(shopURL+"/post"), chromedp.Click(chromedp.CSS("#go")))
	b.sees("Hello ada@example.com")

	// In a frame of another site the browser keeps our cookies to itself: nobody is signed
	// in there, whoever asks.
	b.do(chromedp.Navigate(shopURL + "/framed"))
	answer := ""
	for end := time.Now().Add(30 * time.Second); answer == "" && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		answer = get(b, chromedp.Evaluate[string](`document.querySelector('iframe').contentDocument?.querySelector('#answer')?.innerText || ''`))
	}
	if answer != "login_required" {
		t.Errorf("prompt=none in a frame: %q", answer)
	}

	// Somebody else's page: frames show nothing, posts do nothing, fetches read nothing.
	authorize := html.EscapeString(rp.AuthCodeURL("x", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("prompt", "login")))
	evil.HandleFunc("/frame", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `<!doctype html><title>Evil</title><iframe id="f" src="`+authorize+`" width="400" height="400"></iframe>`)
	})
	evil.HandleFunc("/post", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `<!doctype html><form method="post" action="`+endpoint+`/sign-in"><input name="email" value="mallory@example.com"><input name="r" value="x"><button id="go">Win</button></form>`)
	})
	evil.HandleFunc("/fetch", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `<!doctype html><title>Evil</title>`)
	})
	b.do(chromedp.Navigate(evilURL + "/frame"))
	b.do(chromedp.Sleep(time.Second))
	inFrame := get(b, chromedp.Evaluate[[]string](`Array.from(document.querySelectorAll('iframe')).map(f => { try { return f.contentDocument ? 'readable' : 'opaque' } catch (e) { return 'opaque' } })`))
	if len(inFrame) != 1 || inFrame[0] != "opaque" {
		t.Errorf("frame: %v", inFrame)
	}
	b.do(chromedp.Navigate(evilURL+"/post"), chromedp.Click(chromedp.CSS("#go")), chromedp.WaitNotPresent(chromedp.CSS("#go")))
	if text := b.text("body"); strings.Contains(text, "mallory") {
		t.Errorf("a cross-site post began a sign-in:\n%s", text)
	}
	b.do(chromedp.Navigate(evilURL + "/fetch"))
	for _, path := range []string{"/oidc/me", "/sign-in", "/oidc/auth", "/verify/status?c=x"} {
		got := get(b, chromedp.Evaluate[string](`fetch('`+endpoint+path+`', {credentials: 'include'}).then(r => r.text()).catch(e => 'refused')`, chromedp.EvalAwaitPromise))
		if got != "refused" {
			t.Errorf("another site reads %s: %.80s", path, got)
		}
	}
	// Every answer says that this host is https only, not just the pages.
	for _, path := range []string{"/oidc/jwks", "/healthz", "/static/none", "/oidc/token", "/nothing"} {
		resp, err := inside.Get(endpoint + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s has no HSTS", path)
		}
	}
	// What every client may read without credentials stays readable.
	discovery := get(b, chromedp.Evaluate[string](`fetch('`+endpoint+`/oidc/.well-known/openid-configuration').then(r => r.text()).catch(e => 'refused')`, chromedp.EvalAwaitPromise))
	if !strings.Contains(discovery, `"issuer"`) {
		t.Errorf("discovery from a browser: %s", discovery)
	}
	if status := s.Stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}
