package deploy_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"
)

// The program holds its certificate itself: a sign-in over HTTP/2, a certificate that is
// renewed while it runs, and http that leads to https.
func TestCertificateFiles(t *testing.T) {
	t.Parallel()
	mails := rig.NewSink(t, nil)
	s := rig.Install(t, "sqlite")
	cert, key, pool := issue(t, s.Dir, 1)
	plain := rig.FreeAddr(t)
	s.Endpoint = "https://" + host + ":" + port(s.Address)
	s.Env = append(s.Env, "IDP_ENDPOINT="+s.Endpoint, "IDP_TLS_CERT_FILE="+cert, "IDP_TLS_KEY_FILE="+key, "IDP_REDIRECT_LISTEN="+plain)
	s.MailTo(mails.URL)
	start(t, s)

	client := through(s.Address, pool)
	signUp(t, s, mails, client, "ada@example.com")
	res, _ := fetch(t, client, http.MethodGet, s.Endpoint+"/oidc/.well-known/openid-configuration")
	if res.ProtoMajor != 2 || res.StatusCode != http.StatusOK {
		t.Errorf("discovery: %s %d", res.Proto, res.StatusCode)
	}
	if out := s.Run("health"); !strings.Contains(out, "ready") {
		t.Errorf("idp health: %s", out)
	}

	res, _ = fetch(t, through(plain, nil), http.MethodGet, "http://evil.example/sign-in?a=b")
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusMovedPermanently || got != s.Endpoint+"/sign-in?a=b" {
		t.Errorf("http: %d to %q", res.StatusCode, got)
	}
	if res, _ = fetch(t, through(plain, nil), http.MethodPost, "http://"+host+"/oidc/token"); res.StatusCode != http.StatusForbidden {
		t.Errorf("a form over http: %d", res.StatusCode)
	}

	_, _, renewed := issue(t, s.Dir, 2)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		res, err := through(s.Address, renewed).Get(s.Endpoint + "/healthz")
		if err == nil {
			res.Body.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the renewed certificate is not served: %v\n%s", err, s.Log.String())
		}
	}
	if status := s.Stop(); status != 0 {
		t.Errorf("exit status %d\n%s", status, s.Log.String())
	}
}
