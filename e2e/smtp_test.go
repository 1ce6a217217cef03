package e2e_test

import (
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
)

// People sign up with codes that go by SMTP to maildev from npm, a mail server that was
// not written here. It is started anew between two of them: the connection in the pool is
// dead then, and nobody may notice.
func TestCodesGoBySMTP(t *testing.T) {
	t.Parallel()
	if err := installed(filepath.Join("clients", "maildev")); err != nil {
		t.Fatalf("npm ci: %v (install Node.js and npm)", err)
	}
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		d := newMaildev(t)
		config := filepath.Join(s.Dir, "smtp.json")
		host, port, _ := net.SplitHostPort(d.smtp)
		if err := os.WriteFile(config, fmt.Appendf(nil, `{"host": %q, "port": %s, "auth": {"user": "ada", "pass": "secret", "type": "login"},
			"fromEmail": "Bücher <no-reply@bücher.example>", "replyTo": "help@shop.example"}`, host, port), 0o600); err != nil {
			t.Fatal(err)
		}
		s.Run("connector", "set", "smtp", "--file", config)
		s.TakesUp("smtp")
		app := s.NewClient()
		for i, email := range []string{"ada@example.com", "bob@example.com"} {
			r := s.Request(app, "first_screen", "register")
			v := rig.NewVisitor(t, s)
			p := v.Enter(r, email).Is(200)
			m := d.mail(email)
			code := rig.CodeIn(m.Text)
			if code == "" {
				t.Fatalf("no code in %q", m.Text)
			}
			v.Submit(p, "/verify", "code", code).Answer(r)
			const from = "no-reply@bücher.example" // as maildev shows punycode
			if m.From[0].Address != from || m.From[0].Name != "Bücher" || m.Headers["auto-submitted"] != "auto-generated" ||
				m.Subject == "" || !strings.Contains(m.HTML, "<html") || m.Envelope.From.Address != from {
				t.Errorf("%+v", m)
			}
			if i == 0 {
				d.stop()
				d.start()
			}
		}
		if log := s.Log.String(); strings.Contains(log, "ada@example.com") {
			t.Error("the log has an address")
		}
	})
}

// maildev is a mail server with a list of what it got.
type maildev struct {
	t         *testing.T
	smtp, web string
	dir       string
	stop      func()
}

func newMaildev(t *testing.T) *maildev {
	t.Helper()
	d := &maildev{t: t, smtp: rig.FreeAddr(t), web: rig.FreeAddr(t), dir: t.TempDir()}
	d.start()
	return d
}

func (d *maildev) start() {
	d.t.Helper()
	program, err := filepath.Abs(filepath.Join("clients", "maildev", "node_modules", "maildev", "dist", "bin", "maildev.js"))
	if err != nil {
		d.t.Fatal(err)
	}
	_, smtp, _ := net.SplitHostPort(d.smtp)
	_, web, _ := net.SplitHostPort(d.web)
	cmd := exec.Command("node", program, "--ip", "127.0.0.1", "--smtp", smtp, "--web-ip", "127.0.0.1", "--web", web,
		"--incoming-user", "ada", "--incoming-pass", "secret", "--mail-directory", d.dir)
	cmd.Dir, cmd.Env = d.dir, rig.CleanEnv()
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	d.stop = func() { _ = cmd.Process.Kill(); <-exited }
	d.t.Cleanup(d.stop)
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", d.smtp)
		if err != nil {
			continue
		}
		_ = conn.Close()
		if resp, err := http.Get("http://" + d.web + "/api/email"); err == nil {
			_ = resp.Body.Close()
			return
		}
	}
	d.t.Fatal("maildev does not start")
}

// mailed is a mail as maildev shows it.
type mailed struct {
	Subject, Text, HTML string
	From, To            []struct{ Address, Name string }
	Headers             map[string]any
	Envelope            struct{ From struct{ Address string } }
}

// mail waits for the mail to an address.
func (d *maildev) mail(to string) mailed {
	d.t.Helper()
	for deadline := time.Now().Add(45 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get("http://" + d.web + "/api/email")
		if err != nil {
			continue
		}
		var all []mailed
		err = json.NewDecoder(resp.Body).Decode(&all)
		_ = resp.Body.Close()
		if err != nil {
			d.t.Fatal(err)
		}
		for _, m := range all {
			if len(m.To) == 1 && m.To[0].Address == to {
				return m
			}
		}
	}
	d.t.Fatalf("no mail to %s", to)
	return mailed{}
}
