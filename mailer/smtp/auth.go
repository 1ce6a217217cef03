package smtp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	gosmtp "github.com/wneessen/go-mail/smtp"
)

// auth is how we sign in to the mail server: with a password, or with a token of OAuth 2.
type auth struct {
	Type string `json:"type"` // "login" or "oauth2"; told by the other fields unless set
	User string `json:"user"`
	Pass string `json:"pass"`
	oauthConfig
}

// login is a way to sign in that was checked.
type login struct {
	user, pass string
	method     string // "": what the server offers
	token      func(context.Context) (string, error)
}

// The mechanisms in the order we like them. Over TLS the server is known by its
// certificate, so the most reliable come first: servers offer SCRAM and CRAM-MD5 also for
// accounts whose stored password cannot answer them. In clear, which is only to this
// machine, those that do not send the password come first.
var (
	overTLS = []string{"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"}
	inClear = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"}
)

func (c *Config) login(s security) (*login, error) {
	method := strings.ToUpper(c.AuthMethod)
	switch {
	case c.Auth == nil && method != "":
		return nil, errors.New("authMethod is set, but auth is not")
	case c.Auth == nil:
		return nil, nil
	case c.Auth.User == "":
		return nil, errors.New("auth.user is missing; leave auth out if the server asks for none")
	case s.policy == none && !s.loopback:
		return nil, errors.New(`auth would send the password in clear over a network: set tls to "starttls" or "tls"`)
	case strings.ContainsAny(c.Auth.User+c.Auth.Pass, "\x00\r\n"):
		return nil, errors.New("auth.user and auth.pass cannot have line breaks")
	}
	l := &login{user: c.Auth.User, pass: c.Auth.Pass, method: method}
	switch kind := strings.ToLower(c.Auth.Type); {
	case kind == "oauth2", kind == "" && c.Auth.Pass == "" && c.Auth.given():
		var err error
		l.method = "XOAUTH2"
		l.token, err = c.Auth.source(c.Auth.User)
		return l, err
	case kind != "" && kind != "login":
		return nil, fmt.Errorf(`auth.type %q is unknown: there are "login" and "oauth2"; a mechanism goes into authMethod`, c.Auth.Type)
	case c.Auth.Pass == "":
		return nil, errors.New("auth.pass is missing")
	case method != "" && !slices.Contains(overTLS, method):
		return nil, fmt.Errorf("authMethod %q is unknown: there are %s", c.AuthMethod, strings.Join(overTLS, ", "))
	}
	return l, nil
}

// errClear says that a password was not sent.
var errClear = errors.New("the connection is in clear, so the password was not sent")

// with signs in on a connection. The offer is what the server says after AUTH.
func (l *login) with(ctx context.Context, c *gosmtp.Client, host, offer string, encrypted, loopback bool) error {
	if !encrypted && !loopback {
		return errClear
	}
	offered := strings.Fields(strings.ToUpper(offer))
	method := l.method
	if method == "" {
		order := inClear
		if encrypted {
			order = overTLS
		}
		i := slices.IndexFunc(order, func(m string) bool { return slices.Contains(offered, m) })
		if i < 0 {
			return errOffer(offered)
		}
		method = order[i]
	} else if !slices.Contains(offered, method) {
		return errOffer(offered)
	}
	switch method {
	case "PLAIN":
		return c.Auth(gosmtp.PlainAuth("", l.user, l.pass, host, true)) // what may be in clear was decided above
	case "LOGIN":
		return c.Auth(gosmtp.LoginAuth(l.user, l.pass, host, true))
	case "SCRAM-SHA-256":
		return c.Auth(gosmtp.ScramSHA256Auth(l.user, l.pass))
	case "SCRAM-SHA-1":
		return c.Auth(gosmtp.ScramSHA1Auth(l.user, l.pass))
	case "CRAM-MD5":
		return c.Auth(gosmtp.CRAMMD5Auth(l.user, l.pass))
	}
	token, err := l.token(ctx)
	if err != nil {
		return err
	}
	return c.Auth(gosmtp.XOAuth2Auth(l.user, token))
}

// errOffer is a server without a mechanism that we could use.
type errOffer []string

func (e errOffer) Error() string {
	if len(e) == 0 {
		return "the server offers no sign-in on this connection"
	}
	return "the server offers no way to sign in that the configuration allows; it has " + strings.Join(e, ", ")
}
