package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"time"

	gosmtp "github.com/wneessen/go-mail/smtp"
)

// stage is a step of a mail's way to the server.
type stage string

const (
	stageConnect stage = "connect"
	stageGreet   stage = "greeting"
	stageTLS     stage = "TLS"
	stageAuth    stage = "sign-in"
	stageMail    stage = "sender"
	stageRcpt    stage = "recipient"
	stageData    stage = "content" // asked whether to go ahead
	stageBody    stage = "mail"    // the server has, or may have, the whole mail
)

// fault is where and why a mail was not taken.
type fault struct {
	stage stage
	err   error
}

func (f *fault) Error() string { return string(f.stage) + ": " + f.err.Error() }

func (f *fault) Unwrap() error { return f.err }

// lost tells that the connection is of no use any more, rather than that the server
// refused something on it.
func (f *fault) lost() bool {
	var answer *textproto.Error
	return !errors.As(f.err, &answer) || answer.Code == 421
}

// conn is a connection that was signed in on.
type conn struct {
	client    *gosmtp.Client
	raw       net.Conn
	encrypted bool
	dirty     bool // a mail was refused in the middle: needs a RSET
	sent      int
	since     time.Time // of its last use
	timer     *time.Timer
}

// bound makes every read and write on raw end with ctx. The function it gives ends that;
// it answers false if ctx was over first, so that the connection cannot be used again.
func bound(ctx context.Context, raw net.Conn) func() bool {
	if deadline, ok := ctx.Deadline(); ok {
		_ = raw.SetDeadline(deadline)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	return func() bool {
		if !stop() {
			return false
		}
		return raw.SetDeadline(time.Time{}) == nil
	}
}

// dial connects, encrypts and signs in. Its findings go to note, which may be nil.
func (s *settings) dial(ctx context.Context, note func(stage, string)) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.connect)
	defer cancel()
	dialer := net.Dialer{}
	if s.local != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(s.local)}
	}
	raw, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(s.host, s.port))
	if err != nil {
		return nil, &fault{stageConnect, err}
	}
	c := &conn{raw: raw}
	release := bound(ctx, raw)
	err = s.greet(ctx, c, note)
	if !release() && err == nil {
		err = &fault{stageGreet, ctx.Err()}
	}
	if err != nil {
		raw.Close()
		return nil, err
	}
	return c, nil
}

// greet brings a new connection to where mails can be sent on it.
func (s *settings) greet(ctx context.Context, c *conn, note func(stage, string)) error {
	wire := c.raw
	if s.tls.policy == implicit {
		secure := tls.Client(c.raw, s.tls.config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return &fault{stageTLS, err}
		}
		wire, c.encrypted = secure, true
	}
	client, err := gosmtp.NewClient(wire, s.host)
	if err != nil {
		return &fault{stageGreet, err}
	}
	c.client = client
	client.SkipSMTPUTF8(true) // addresses are ASCII
	if err := client.Hello(s.helo); err != nil {
		return &fault{stageGreet, err}
	}
	noted(note, stageConnect, client.HelloResponse())
	if err := s.startTLS(c); err != nil {
		return err
	}
	if state, err := client.GetTLSConnectionState(); err == nil {
		noted(note, stageTLS, tls.VersionName(state.Version)+", certificate until "+state.PeerCertificates[0].NotAfter.UTC().Format(time.DateOnly))
	}
	if s.login == nil {
		return nil
	}
	_, offer := client.Extension("AUTH")
	onThisMachine := s.tls.loopback && isLoopback(hostOf(c.raw.RemoteAddr()))
	if err := s.login.with(ctx, client, s.host, offer, c.encrypted, onThisMachine); err != nil {
		return &fault{stageAuth, err}
	}
	noted(note, stageAuth, "as "+s.login.user)
	return nil
}

// errNoTLS is a server that does not offer what the policy asks for.
var errNoTLS = errors.New("the server does not offer STARTTLS")

func (s *settings) startTLS(c *conn) error {
	if s.tls.policy != starttls && s.tls.policy != opportunistic {
		return nil
	}
	if offered, _ := c.client.Extension("STARTTLS"); !offered {
		if s.tls.policy == starttls {
			return &fault{stageTLS, errNoTLS}
		}
		return nil
	}
	if err := c.client.StartTLS(s.tls.config); err != nil {
		return &fault{stageTLS, err}
	}
	c.encrypted = true
	return nil
}

// transact sends one mail and gives the server's last answer.
func (c *conn) transact(mail envelope) (string, error) {
	c.dirty = true
	if err := c.client.Mail("<" + mail.from + ">"); err != nil {
		return "", &fault{stageMail, err}
	}
	if err := c.client.Rcpt("<" + mail.to + ">"); err != nil {
		return "", &fault{stageRcpt, err}
	}
	w, err := c.client.Data()
	if err != nil {
		return "", &fault{stageData, err}
	}
	if _, err := w.Write(mail.text); err != nil {
		return "", &fault{stageBody, err}
	}
	if err := w.Close(); err != nil {
		return "", &fault{stageBody, err}
	}
	c.dirty = false
	c.sent++
	if d, ok := w.(interface{ ServerResponse() string }); ok {
		return d.ServerResponse(), nil
	}
	return "", nil
}

// quit says goodbye, without waiting long for the answer.
func (c *conn) quit() {
	_ = c.raw.SetDeadline(time.Now().Add(time.Second))
	_ = c.client.Quit()
	c.raw.Close()
}

func noted(note func(stage, string), s stage, text string) {
	if note != nil {
		note(s, text)
	}
}

func hostOf(a net.Addr) string {
	host, _, _ := net.SplitHostPort(a.String())
	return host
}

// errBusy is a pool without a free connection until ctx was over.
var errBusy = errors.New("all connections to the server are busy")
