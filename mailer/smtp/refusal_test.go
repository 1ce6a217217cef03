package smtp_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	smtpd "github.com/emersion/go-smtp"

	"idp/mailer"
)

// answer makes what a server says: "550 5.1.1 words".
func answer(t testing.TB, line string) error {
	t.Helper()
	e := &smtpd.SMTPError{EnhancedCode: smtpd.NoEnhancedCode}
	code, rest, _ := strings.Cut(line, " ")
	if _, err := fmt.Sscan(code, &e.Code); err != nil {
		t.Fatal(err)
	}
	status, words, _ := strings.Cut(rest, " ")
	if n, _ := fmt.Sscanf(status, "%d.%d.%d", &e.EnhancedCode[0], &e.EnhancedCode[1], &e.EnhancedCode[2]); n == 3 {
		rest = words
	} else {
		e.EnhancedCode = smtpd.NoEnhancedCode
	}
	e.Message = rest
	return e
}

// Words of real servers, each at the step where it is said.
func TestRefusalTellsTheClass(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step, line string
		want       mailer.Class
	}{
		{"auth", "535 5.7.8 Username and Password not accepted", mailer.Misconfigured},
		{"auth", "534 5.7.9 Application-specific password required", mailer.Misconfigured},
		{"auth", "538 5.7.11 Encryption required for requested authentication mechanism", mailer.Misconfigured},
		{"auth", "454 4.7.0 Temporary authentication failure", mailer.Temporary},
		{"auth", "454 4.7.0 Too many login attempts, please try again later", mailer.Throttled},

		{"mail", "530 5.7.0 Must issue a STARTTLS command first", mailer.Misconfigured},
		{"mail", "530 5.7.1 Authentication required", mailer.Misconfigured},
		{"mail", "553 5.7.1 <no-reply@shop.example>: Sender address rejected: not owned by user ada", mailer.Misconfigured},
		{"mail", "550 Sender address is not allowed", mailer.Misconfigured},
		{"mail", "421 4.3.2 Service shutting down", mailer.Temporary},
		{"mail", "421 4.7.0 Too many connections from your IP", mailer.Throttled},
		{"mail", "421 Too many concurrent SMTP connections", mailer.Throttled},
		{"mail", "454 Throttling failure: Maximum sending rate exceeded.", mailer.Throttled},
		{"mail", "454 Throttling failure: Daily message quota exceeded.", mailer.Paused},
		{"mail", "550 5.4.5 Daily user sending limit exceeded", mailer.Paused},
		{"mail", "452 4.3.1 Insufficient system storage", mailer.Temporary},
		{"mail", "552 5.3.4 Message size exceeds fixed limit", mailer.Rejected},
		{"mail", "502 5.5.1 Command not implemented", mailer.Misconfigured},

		{"rcpt", "550 5.1.1 <ada@example.com>: Recipient address rejected: User unknown in relay recipient table", mailer.Refused},
		{"rcpt", "550 5.1.10 Recipient not found by SMTP address lookup", mailer.Refused},
		{"rcpt", "553 5.1.2 The recipient domain does not exist", mailer.Refused},
		{"rcpt", "550 5.2.1 The email account that you tried to reach is disabled", mailer.Refused},
		{"rcpt", "550 No such user here", mailer.Refused},
		{"rcpt", "551 User not local", mailer.Refused},
		{"rcpt", "553 sorry, that recipient does not exist", mailer.Refused},
		{"rcpt", "550 relay not permitted", mailer.Misconfigured},
		{"rcpt", "554 5.7.1 <ada@example.com>: Relay access denied", mailer.Misconfigured},
		{"rcpt", "454 4.7.1 <ada@example.com>: Relay access denied", mailer.Misconfigured},
		{"rcpt", "550 5.7.1 Service unavailable, client host blocked using Spamhaus", mailer.Rejected},
		{"rcpt", "550 blocked: see our policy", mailer.Rejected},
		{"rcpt", "450 4.2.0 Greylisted, try again in 300 seconds", mailer.Temporary},
		{"rcpt", "451 4.7.1 Greylisting in action", mailer.Temporary},
		{"rcpt", "452 4.2.2 The email account that you tried to reach is over quota", mailer.Temporary},
		{"rcpt", "450 4.1.1 Unverified address", mailer.Temporary},
		{"rcpt", "552 5.2.2 Mailbox full", mailer.Rejected},

		{"data", "554 5.5.1 No valid recipients", mailer.Rejected},
		{"data", "451 4.3.0 Temporary lookup failure", mailer.Temporary},
		{"taken", "550 5.7.26 Unauthenticated email from shop.example is not accepted due to domain's DMARC policy", mailer.Rejected},
		{"taken", "554 5.7.1 Message considered spam", mailer.Rejected},
		{"taken", "554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1", mailer.Misconfigured},
		{"taken", "554 Sending paused for this account", mailer.Paused},
		{"taken", "421 4.7.28 Our system has detected an unusual rate of mail", mailer.Throttled},
		{"taken", "552 5.3.4 Message too big", mailer.Rejected},
		{"taken", "451 4.3.0 Queue file write error", mailer.Temporary},
		{"taken", "550 5.1.1 no mailbox", mailer.Refused},
	} {
		t.Run(c.step+" "+c.line[:min(30, len(c.line))], func(t *testing.T) {
			t.Parallel()
			server := newSink(t, bare, func(step string, _ *smtpd.Conn) error {
				if step == c.step {
					return answer(t, c.line)
				}
				return nil
			})
			_, err := send(t, server.sender(t, config{"auth": config{"user": "ada", "pass": "secret"}}), mail)
			e := failed(t, err, c.want)
			words := c.line[strings.LastIndexByte(c.line, ' ')+1:]
			if !strings.Contains(e.Error(), words) {
				t.Errorf("%v does not have the server's words", e)
			}
			if c.want == mailer.Misconfigured && e.Hint == "" {
				t.Error("no hint")
			}
			if n := server.connections(); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

func TestGreetingTellsTheClass(t *testing.T) {
	t.Parallel()
	for greeting, want := range map[string]mailer.Class{
		"554 5.7.1 Your address is blocked\r\n":      mailer.Misconfigured,
		"421 4.3.2 Try again later\r\n":              mailer.Temporary,
		"421 4.7.0 Too many connections\r\n":         mailer.Throttled,
		"":                                           mailer.Temporary, // goes away at once
		"SSH-2.0-OpenSSH_9.6\r\n":                    mailer.Temporary,
		"220 " + strings.Repeat("x", 1<<16) + "\r\n": mailer.Temporary,
	} {
		addr := script(t, func(c net.Conn) { c.Write([]byte(greeting)) })
		_, err := send(t, sender(t, addr, nil), mail)
		failed(t, err, want)
	}
}

func TestNobodyThereIsTemporary(t *testing.T) {
	t.Parallel()
	_, err := send(t, sender(t, "127.0.0.1:1", nil), mail)
	failed(t, err, mailer.Temporary)
}

func TestUnknownHostIsAFaultOfTheConfiguration(t *testing.T) {
	t.Parallel()
	_, err := send(t, sender(t, "mail.invalid:25", config{"tls": "starttls"}), mail)
	if e := failedAny(t, err); e.Class != mailer.Misconfigured && e.Class != mailer.Temporary { // temporary where there is no resolver
		t.Error(e)
	}
}

func TestSilenceEndsInTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		said   string
		config config
	}{
		"no greeting":    {"", config{"connectionTimeout": 200, "socketTimeout": 10_000}},
		"no answer":      {"220 hi\r\n", config{"connectionTimeout": 200, "socketTimeout": 10_000}},
		"no TLS":         {"", config{"connectionTimeout": 200, "socketTimeout": 10_000, "tls": "tls"}},
		"whole attempts": {"", config{"connectionTimeout": 10_000, "socketTimeout": 200}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			over := make(chan struct{})
			defer close(over)
			addr := script(t, func(conn net.Conn) {
				conn.Write([]byte(c.said))
				conn.Read(make([]byte, 1))
				<-over
			})
			start := time.Now()
			_, err := send(t, sender(t, addr, c.config), mail)
			failed(t, err, mailer.Temporary)
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("gave up after %s", took)
			}
		})
	}
}

// script runs a server that does what serve does with each connection.
func script(t testing.TB, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); serve(c) }()
		}
	}()
	return l.Addr().String()
}

// dialogue runs a server that takes everything and ends with last.
func dialogue(t testing.TB, last string) string {
	t.Helper()
	return script(t, func(c net.Conn) {
		lines := bufio.NewScanner(c)
		fmt.Fprint(c, "220 hi\r\n")
		for lines.Scan() {
			switch verb, _, _ := strings.Cut(lines.Text(), " "); verb {
			case "DATA":
				fmt.Fprint(c, "354 go ahead\r\n")
				for lines.Scan() && lines.Text() != "." {
				}
				fmt.Fprint(c, last+"\r\n")
			case "QUIT":
				fmt.Fprint(c, "221 bye\r\n")
				return
			default:
				fmt.Fprint(c, "250 ok\r\n")
			}
		}
	})
}
