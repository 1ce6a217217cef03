package smtp

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"idp/mailer"
	"idp/mailer/mailbox"
	"idp/store"
)

// Config is the connector's configuration: that of Logto's SMTP connector, whose names
// are nodemailer's, and what we add to it.
type Config struct {
	Host      string `json:"host"`
	Port      port   `json:"port"` // 587, or 465 with TLS from the first byte, unless set
	Auth      *auth  `json:"auth"`
	FromEmail string `json:"fromEmail"` // "a@b" or "Name <a@b>"
	ReplyTo   string `json:"replyTo"`
	// Templates word the mails in the place of ours. Absent: our own mails.
	Templates []mailer.OwnTemplate `json:"templates"`

	Secure     bool      `json:"secure"`     // TLS from the first byte
	RequireTLS bool      `json:"requireTLS"` // STARTTLS or nothing, which is the default here
	IgnoreTLS  bool      `json:"ignoreTLS"`  // in clear
	TLS        tlsConfig `json:"tls"`
	ServerName string    `json:"servername"` // in the server's certificate, if it is not the host
	// InsecureReason has to be given for a connection that is or may be in clear and
	// leaves this machine. It is shown with the connector's findings.
	InsecureReason string `json:"insecureReason"`

	Name         string `json:"name"`         // this machine's in EHLO; the sender's domain unless set
	LocalAddress string `json:"localAddress"` // that connections come from
	AuthMethod   string `json:"authMethod"`   // PLAIN, LOGIN, SCRAM-SHA-256, SCRAM-SHA-1 or CRAM-MD5

	ConnectionTimeout int `json:"connectionTimeout"` // ms until we are signed in; 4000
	SocketTimeout     int `json:"socketTimeout"`     // ms of a whole attempt; 8000
	IdleTimeout       int `json:"idleTimeout"`       // ms that an unused connection is kept; 30000
	MaxConnections    int `json:"maxConnections"`    // 5
	MaxMessages       int `json:"maxMessages"`       // on one connection; 100

	MaxPerSecond float64     `json:"maxPerSecond"` // mails; 0: as many as there are
	DKIM         *dkimConfig `json:"dkim"`

	// Settings of nodemailer that are read and not followed: its logs would hold codes,
	// nothing here reads files or addresses, and the two timeouts above hold those steps.
	Logger            any `json:"logger"`
	Debug             any `json:"debug"`
	DisableFileAccess any `json:"disableFileAccess"`
	DisableURLAccess  any `json:"disableUrlAccess"`
	Pool              any `json:"pool"`
	GreetingTimeout   any `json:"greetingTimeout"`
	DNSTimeout        any `json:"dnsTimeout"`
}

// port is a number, or the same in quotes as Logto's documentation has it.
type port int

func (p *port) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseUint(strings.Trim(string(text), `"`), 10, 16)
	if err != nil || n == 0 {
		return fmt.Errorf("port has to be a number from 1 to 65535, not %s", text)
	}
	*p = port(n)
	return nil
}

// maxConfig bounds a configuration, its templates included: mail programs cut a mail at
// some 100 kB, and this is room for ten of them.
const maxConfig = 1 << 20

// The longest that an attempt may take is the queue's own bound.
const maxTimeout = 10 * time.Second

// parse checks a configuration; the error says what to change.
func parse(config []byte) (*settings, error) {
	if len(config) > maxConfig {
		return nil, fmt.Errorf("the configuration is longer than %d kB", maxConfig>>10)
	}
	var c Config
	dec := json.NewDecoder(bytes.NewReader(config))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return nil, fmt.Errorf(`not {"host": "smtp.example.com", "auth": {"user": "…", "pass": "…"}, "fromEmail": "…"}: %w`, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the JSON object")
	}
	return c.settings()
}

// settings is a configuration that was checked.
type settings struct {
	host, port string
	from       mailbox.Mailbox
	replyTo    string
	templates  []store.MailTemplate
	tls        security
	login      *login
	helo       string
	local      string
	connect    time.Duration // until we are signed in
	attempt    time.Duration // of a whole mail
	idle       time.Duration
	conns      int
	mails      int // on one connection
	perSecond  float64
	dkim       *signer
}

func (c *Config) settings() (*settings, error) {
	s := &settings{host: strings.TrimSpace(c.Host), perSecond: c.MaxPerSecond, local: c.LocalAddress}
	var err error
	if s.from, err = mailbox.Parse(c.FromEmail); err != nil {
		return nil, fmt.Errorf("fromEmail %w: %s", err, mailbox.Form)
	}
	if c.ReplyTo != "" {
		replyTo, err := mailbox.Parse(c.ReplyTo)
		if err != nil {
			return nil, fmt.Errorf("replyTo %w: %s", err, mailbox.Form)
		}
		s.replyTo = replyTo.Header()
	}
	if s.templates, err = mailer.OwnTemplates(c.Templates); err != nil {
		return nil, err
	}
	if s.tls, err = c.security(); err != nil {
		return nil, err
	}
	if s.login, err = c.login(s.tls); err != nil {
		return nil, err
	}
	if s.dkim, err = c.DKIM.signer(s.from.Domain()); err != nil {
		return nil, err
	}
	s.port = strconv.Itoa(int(cmp.Or(c.Port, s.tls.defaultPort())))
	s.helo = cmp.Or(c.Name, s.from.Domain())
	if err := c.check(s); err != nil {
		return nil, err
	}
	s.connect = min(milliseconds(c.ConnectionTimeout, 4*time.Second), maxTimeout)
	s.attempt = min(milliseconds(c.SocketTimeout, 8*time.Second), maxTimeout)
	s.idle = milliseconds(c.IdleTimeout, 30*time.Second)
	s.conns, s.mails = cmp.Or(c.MaxConnections, 5), cmp.Or(c.MaxMessages, 100)
	return s, nil
}

// check looks at what needs no parsing.
func (c *Config) check(s *settings) error {
	switch {
	case s.host == "":
		return errors.New("host is missing: the name of the mail server")
	case strings.ContainsAny(s.host, " \t\r\n/@") || strings.Contains(s.host, ":") && !isIP(s.host):
		return errors.New("host has to be a bare name, without scheme and port: smtp.example.com")
	case strings.ContainsFunc(s.helo, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("name has to be a host name: what this machine calls itself to the mail server")
	case s.local != "" && !isIP(s.local):
		return errors.New("localAddress has to be an IP address")
	case c.ConnectionTimeout < 0 || c.SocketTimeout < 0 || c.IdleTimeout < 0:
		return errors.New("timeouts are milliseconds and cannot be negative")
	case c.MaxConnections < 0 || c.MaxConnections > 50:
		return errors.New("maxConnections has to be from 1 to 50")
	case c.MaxMessages < 0:
		return errors.New("maxMessages cannot be negative")
	case c.MaxPerSecond < 0 || c.MaxPerSecond > 10_000:
		return errors.New("maxPerSecond has to be from 0 (no limit) to 10000")
	}
	return nil
}

func milliseconds(n int, otherwise time.Duration) time.Duration {
	return cmp.Or(time.Duration(min(n, int(time.Hour/time.Millisecond)))*time.Millisecond, otherwise)
}
