package deploy_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"
)

// proxied is the configuration of a reverse proxy, as it is in the folder deploy, with the
// addresses of a test in the place of its own.
type proxied struct {
	s       *rig.Server
	mails   *rig.Sink
	client  *http.Client
	plain   string // address of http
	outside string // and https
	dir     string
}

func newProxied(t *testing.T) *proxied {
	t.Helper()
	p := &proxied{mails: rig.NewSink(t, nil), s: rig.Install(t, "sqlite"), dir: t.TempDir(), plain: rig.FreeAddr(t), outside: rig.FreeAddr(t)}
	p.s.Endpoint = "https://" + host + ":" + port(p.outside)
	p.s.Env = append(p.s.Env, "IDP_ENDPOINT="+p.s.Endpoint, "IDP_TRUSTED_PROXIES=127.0.0.1")
	p.s.MailTo(p.mails.URL)
	start(t, p.s)
	return p
}

// write puts a file of deploy/proxy, with replacements that all have to be there, into the
// test's folder.
func (p *proxied) write(t *testing.T, name string, replace ...string) (path string) {
	t.Helper()
	text := string(rig.Must(os.ReadFile("../../deploy/proxy/" + name)))
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			t.Fatalf("%s does not say %q", name, replace[i])
		}
		text = strings.ReplaceAll(text, replace[i], replace[i+1])
	}
	path = filepath.Join(p.dir, name)
	save(t, path, []byte(text))
	return path
}

// runs starts the proxy and waits until it lets requests through.
func (p *proxied) runs(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var log rig.LockedBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the proxy's log:\n%s\nthe server's:\n%s", log.String(), p.s.Log.String())
		}
	})
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if res, err := p.client.Get(p.s.Endpoint + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("nothing comes through:\n%s", log.String())
		}
	}
}

// walk is what has to work behind a proxy: a sign-in with an URL as long as they get, the
// visitor's address whatever he says it is, HTTP/2, and http that leads to https.
func (p *proxied) walk(t *testing.T) {
	t.Helper()
	v := signUp(t, p.s, p.mails, p.client, "ada@example.com")
	v.Do(http.MethodGet, "/account", nil, "X-Forwarded-For", "203.0.113.7", "Forwarded", "for=203.0.113.7").Is(200)
	if log := p.s.Log.String(); strings.Contains(log, "203.0.113.7") || !strings.Contains(log, `"route":"/verify","status":303`) {
		t.Error("a visitor chooses his address")
	}
	for line := range strings.SplitSeq(p.s.Log.String(), "\n") {
		if strings.Contains(line, `"route":"/verify"`) && !strings.Contains(line, `"ip":"`+visitorIP+`"`) {
			t.Errorf("whoever signs in comes from the proxy: %s", line)
		}
	}
	res, _ := fetch(t, p.client, http.MethodGet, p.s.Endpoint+"/oidc/.well-known/openid-configuration")
	if res.ProtoMajor != 2 {
		t.Errorf("%s", res.Proto)
	}
	res, _ = fetch(t, through(p.plain, nil), http.MethodGet, "http://"+host+"/sign-in?a=b")
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusMovedPermanently && res.StatusCode != http.StatusPermanentRedirect || got != p.s.Endpoint+"/sign-in?a=b" {
		t.Errorf("http: %d to %q", res.StatusCode, got)
	}
}

func TestNginx(t *testing.T) {
	t.Parallel()
	p := newProxied(t)
	cert, key, pool := issue(t, p.dir, 1)
	p.client = through(p.outside, pool)
	site := p.write(t, "nginx.conf", "127.0.0.1:3001", p.s.Address, "listen 443 ssl", "listen "+p.outside+" ssl", "listen 80", "listen "+p.plain,
		"https://id.example.com$", p.s.Endpoint+"$", "server_name id.example.com", "server_name "+host, "/etc/ssl/idp/fullchain.pem", cert, "/etc/ssl/idp/privkey.pem", key)
	whole := "pid " + p.dir + "/pid; error_log stderr; daemon off; events {} http { access_log off; include " + site + ";\n"
	for _, temp := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		whole += temp + "_temp_path " + p.dir + "/" + temp + "; "
	}
	if os.Geteuid() == 0 { // else its workers could not enter the test's folder
		whole = "user root; " + whole
	}
	file := filepath.Join(p.dir, "whole.conf")
	save(t, file, []byte(whole+"}"))
	if out, err := exec.Command("/usr/sbin/nginx", "-t", "-c", file, "-e", "stderr").CombinedOutput(); err != nil || strings.Contains(string(out), "[warn]") {
		t.Fatalf("nginx -t: %v\n%s", err, out)
	}
	p.runs(t, exec.Command("/usr/sbin/nginx", "-c", file, "-e", "stderr"))
	p.walk(t)
}

func TestHAProxy(t *testing.T) {
	t.Parallel()
	p := newProxied(t)
	cert, key, pool := issue(t, p.dir, 1)
	p.client = through(p.outside, pool)
	both := filepath.Join(p.dir, "both.pem")
	save(t, both, append(rig.Must(os.ReadFile(cert)), rig.Must(os.ReadFile(key))...))
	file := p.write(t, "haproxy.cfg", "127.0.0.1:3001", p.s.Address, "bind :443", "bind "+p.outside, "bind :80", "bind "+p.plain,
		"https://id.example.com code", p.s.Endpoint+" code", "/etc/ssl/idp/id.example.com.pem", both)
	if out, err := exec.Command("/usr/sbin/haproxy", "-c", "-f", file).CombinedOutput(); err != nil || strings.Contains(string(out), "WARNING") {
		t.Fatalf("haproxy -c: %v\n%s", err, out)
	}
	p.runs(t, exec.Command("/usr/sbin/haproxy", "-f", file))
	p.walk(t)
}

func TestCaddy(t *testing.T) {
	t.Parallel()
	p := newProxied(t)
	cert, key, pool := issue(t, p.dir, 1)
	p.client = through(p.outside, pool)
	site := p.write(t, "Caddyfile", "127.0.0.1:3001", p.s.Address, "id.example.com {\n", host+":"+port(p.outside)+" {\n\ttls "+cert+" "+key+"\n")
	text := rig.Must(os.ReadFile(site))
	save(t, site, append([]byte("{\n\tadmin off\n\tocsp_stapling off\n\tdefault_bind 127.0.0.1\n\thttp_port "+port(p.plain)+"\n}\n"), text...))
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command("/usr/bin/caddy", args...)
		cmd.Env = append(os.Environ(), "HOME="+p.dir, "XDG_DATA_HOME="+p.dir, "XDG_CONFIG_HOME="+p.dir)
		return cmd
	}
	if out, err := run("validate", "--adapter", "caddyfile", "--config", site).CombinedOutput(); err != nil || strings.Contains(string(out), `"level":"warn"`) {
		t.Fatalf("caddy validate: %v\n%s", err, out)
	}
	p.runs(t, run("run", "--adapter", "caddyfile", "--config", site))
	p.walk(t)
}
