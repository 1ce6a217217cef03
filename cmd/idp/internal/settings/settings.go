// Package settings holds everything an operator can set, and reads it from
// flags, IDP_… environment variables and an optional file, in that order.
//
// One name serves all three: the flag --otp-code-ttl is the variable
// IDP_OTP_CODE_TTL and the key otp_code_ttl (or code_ttl under otp). A name that
// nothing knows is an error everywhere, with the nearest known one: a
// misspelt limit must not silently stay at its default.
package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"idp/otp"
	"idp/store"
	"idp/web/turnstile"
)

// Store says where the data is, and the secret that seals it.
type Store struct {
	Config             string `help:"Settings file, YAML or JSON." placeholder:"FILE" group:"store"`
	DataDir            string `help:"Data folder (default: the one of the SQLite file, else ./data, idp dev: ./.idp)." placeholder:"DIR" group:"store"`
	DatabaseURL        string `help:"postgres://… or sqlite:PATH (default: SQLite in the data folder)." placeholder:"URL" group:"store"`
	DatabaseURLFile    string `help:"File that holds the database URL." placeholder:"FILE" group:"store"`
	DatabasePooler     bool   `help:"The database is behind a pooler such as PgBouncer in transaction mode." group:"store"`
	SecretFile         string `help:"File that holds the instance secret: 32 bytes in base64, root of all keys; IDP_SECRET holds the secret itself (default: made in the data folder with SQLite)." placeholder:"FILE" group:"store"`
	SecretPreviousFile string `help:"File that holds the secret before a rotation, still accepted; IDP_SECRET_PREVIOUS holds it itself." placeholder:"FILE" group:"store"`

	// Secret and SecretPrevious come from the environment or the file only: a
	// command line is open to everybody on the machine.
	Secret         string `kong:"-"`
	SecretPrevious string `kong:"-"`
}

// Mail is what connectors take beyond their own configuration.
type Mail struct {
	AWSEndpointURL string `name:"aws-endpoint-url" help:"Endpoint of the SES API instead of the region's, for private endpoints and tests." placeholder:"URL" group:"mail"`
}

// Log says what is logged and how.
type Log struct {
	LogFormat string `help:"auto (colour on a terminal, else JSON), text or json." enum:"auto,text,json" default:"auto" group:"log"`
	LogLevel  string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info" group:"log"`
}

// Server is what serve and dev take beyond Store and Log.
type Server struct {
	Endpoint       string   `help:"Public base URL; the issuer is this plus /oidc (default: http://localhost and the port listened on)." placeholder:"URL" group:"server"`
	Listen         string   `help:"Address of the one port (default: :3001, idp dev: 127.0.0.1:3001)." placeholder:"ADDR" group:"server"`
	TrustedProxies Networks `help:"Networks whose forwarding headers are believed, comma-separated CIDRs." placeholder:"CIDRS" group:"server"`
	AdminEmails    Emails   `help:"Addresses of owners, who may do everything, comma-separated: made at each start, beside those of idp admin add." placeholder:"ADDRESSES" group:"server"`
	AllowInbox     bool     `help:"Let the inbox connector, which sends nothing, serve an endpoint that is not loopback." group:"server"`
	SESTopics      Topics   `name:"ses-topics" help:"SNS topics that Amazon SES tells the fate of mails over, comma-separated ARNs; SNS posts to /hooks/ses." placeholder:"ARNS" group:"server"`
	MailKeep       Duration `name:"mail-keep" help:"How long it is kept what became of each mail." default:"30d" group:"server"`
	AuditKeep      Duration `name:"audit-keep" help:"How long entries of the audit log are kept." default:"365d" group:"server"`
	StopDelay      Duration `name:"stop-delay" help:"How long the server goes on serving after the signal to stop, while /readyz tells balancers to turn to others (default: not at all)." placeholder:"DURATION" group:"server"`

	MetricsListen string `name:"metrics-listen" help:"Second address, for your own monitoring only: /metrics for Prometheus, /debug/pprof/; such as 127.0.0.1:9464." placeholder:"ADDR" group:"server"`

	SecurityContact Contacts `name:"security-contact" help:"Where to report a vulnerability, comma-separated addresses or URLs: makes /.well-known/security.txt." placeholder:"CONTACTS" group:"server"`
	SecurityPolicy  string   `name:"security-policy" help:"URL of the page that says how reports are dealt with, for security.txt." placeholder:"URL" group:"server"`

	TLSCertFile     string `name:"tls-cert-file" help:"PEM file with the certificate chain for https on the port; read again when it changes." placeholder:"FILE" group:"tls"`
	TLSKeyFile      string `name:"tls-key-file" help:"PEM file with its key." placeholder:"FILE" group:"tls"`
	ACMEAcceptTerms bool   `name:"acme-accept-terms" help:"Have the certificate made and renewed by an ACME authority, whose terms you accept hereby." group:"tls"`
	ACMEDirectory   string `name:"acme-directory" help:"Directory URL of the ACME authority." default:"https://acme-v02.api.letsencrypt.org/directory" placeholder:"URL" group:"tls"`
	ACMEEmail       string `name:"acme-email" help:"Address of the account at the ACME authority." placeholder:"ADDRESS" group:"tls"`
	ACMERootsFile   string `name:"acme-roots-file" help:"PEM file with the root certificates of a private ACME authority." placeholder:"FILE" group:"tls"`
	RedirectListen  string `name:"redirect-listen" help:"Second address, of http, which leads browsers to https and answers the challenges of the ACME authority; such as :80." placeholder:"ADDR" group:"tls"`

	OTPDigits     int      `name:"otp-digits" help:"Digits of a code." default:"${otp_digits}" group:"otp"`
	OTPCodeTTL    Duration `name:"otp-code-ttl" help:"How long a code lives." default:"${otp_code_ttl}" group:"otp"`
	OTPTTL        Duration `name:"otp-ttl" help:"How long one attempt to sign in lives, with all its codes." default:"${otp_ttl}" group:"otp"`
	OTPTries      int      `name:"otp-tries" help:"Wrong codes per attempt." default:"${otp_tries}" group:"otp"`
	OTPSends      int      `name:"otp-sends" help:"Mails per attempt." default:"${otp_sends}" group:"otp"`
	OTPResendWait Duration `name:"otp-resend-wait" help:"Wait before the second mail of an attempt; the one before the third is twice as long." default:"${otp_resend_wait}" group:"otp"`
	OTPProofBits  int      `name:"otp-proof-bits" help:"Work of a browser whose network is asked for a proof: so many bits of a hash are zero. One more doubles the time." default:"${otp_proof_bits}" group:"otp"`
	OTPLink       bool     `name:"otp-link" help:"Put a link into the mails as well, which signs in with a button in the browser that asked." group:"otp"`

	LimitIPSends        Windows `name:"limit-ip-sends" help:"Codes asked for and not used, per network (IPv4 address, IPv6 /64)." default:"${limit_ip_sends}" group:"limit"`
	LimitIPProof        Windows `name:"limit-ip-proof" help:"Of these, those that need no proof that this is not a flood; one rate." default:"${limit_ip_proof}" group:"limit"`
	LimitIPWaits        Windows `name:"limit-ip-waits" help:"Of those that need a proof, the ones for which half a minute of waiting is enough: for browsers without scripts." default:"${limit_ip_waits}" group:"limit"`
	LimitIPGuesses      Windows `name:"limit-ip-guesses" help:"Wrong codes per network." default:"${limit_ip_guesses}" group:"limit"`
	LimitRecipientSends Windows `name:"limit-recipient-sends" help:"Mails per address." default:"${limit_recipient_sends}" group:"limit"`
	LimitUnknownSends   Windows `name:"limit-unknown-sends" help:"Mails per address that has no account; beyond it they silently go nowhere." default:"${limit_unknown_sends}" group:"limit"`
	LimitUnknownNotices Windows `name:"limit-unknown-notices" help:"Mails per address that has no account, which say so when its recovery is asked for; beyond it they silently go nowhere." default:"${limit_unknown_notices}" group:"limit"`
	LimitAccountGuesses Windows `name:"limit-account-guesses" help:"Wrong codes per address, over all attempts." default:"${limit_account_guesses}" group:"limit"`
	LimitGuessAlarm     Windows `name:"limit-guess-alarm" help:"Wrong codes over all addresses, on attempts that came to nothing; beyond it, and beyond 0.5% of the codes that were right, new codes have 8 digits." default:"${limit_guess_alarm}" group:"limit"`
	LimitMails          Windows `name:"limit-mails" help:"All mails together, over all connectors and servers; one rate, such as 10000/24h. Beyond it nobody but operators can ask for codes." default:"off" group:"limit"`

	TurnstileSiteKey     string `name:"turnstile-site-key" help:"Site key of a widget of Cloudflare Turnstile." placeholder:"KEY" group:"turnstile"`
	TurnstileSecretFile  string `name:"turnstile-secret-file" help:"File that holds the widget's secret key; IDP_TURNSTILE_SECRET holds it itself." placeholder:"FILE" group:"turnstile"`
	TurnstileEndpointURL string `name:"turnstile-endpoint-url" help:"Where the service is, for tests (default: ${turnstile_endpoint})." placeholder:"URL" group:"turnstile"`

	// TurnstileSecret comes from the environment or the file only, as Store.Secret does.
	TurnstileSecret string `kong:"-"`

	TTLAuthCode        Duration `name:"ttl-auth-code" help:"Authorization code." default:"60s" group:"ttl"`
	TTLAccessToken     Duration `name:"ttl-access-token" help:"Access token." default:"1h" group:"ttl"`
	TTLIDToken         Duration `name:"ttl-id-token" help:"ID token." default:"1h" group:"ttl"`
	TTLRefreshIdle     Duration `name:"ttl-refresh-idle" help:"Refresh token that is not used." default:"14d" group:"ttl"`
	TTLRefreshAbsolute Duration `name:"ttl-refresh-absolute" help:"Refresh token with all that replace it, used or not." default:"90d" group:"ttl"`
	TTLSessionIdle     Duration `name:"ttl-session-idle" help:"Session that is not used." default:"12h" group:"ttl"`
	TTLSessionAbsolute Duration `name:"ttl-session-absolute" help:"Session, used or not." default:"14d" group:"ttl"`
}

// Webhooks is what whatever sets webhooks up takes, as the servers do.
type Webhooks struct {
	PrivateHooks Networks `name:"webhook-allow-private" help:"Networks that are not public (loopback, private, link-local) and that webhooks may post to all the same, comma-separated CIDRs; without TLS only there." placeholder:"CIDRS" group:"server"`
}

// Dev is what only idp dev takes.
type Dev struct {
	BookstoreListen string `help:"Address of the sample app." default:"127.0.0.1:3000" placeholder:"ADDR" group:"dev"`
	Seed            string `help:"What the instance starts with, for the tests of your apps: the file of idp apply, with people (docs/testing.md)." placeholder:"FILE" group:"dev"`
}

// all is every setting there is; the names that the environment and the file may
// use are read from it.
type all struct {
	Store
	Mail
	Log
	Server
	Webhooks
	Dev
}

// Groups are the titles of the settings in help texts.
var Groups = map[string]string{
	"store":  "Data",
	"mail":   "Mail",
	"log":    "Log",
	"server": "Server",
	"tls":    "TLS, where no reverse proxy does it",
	"otp":    "Codes",
	"limit":  "Limits, as count/period, two at most; off for none",
	"ttl":    "Lifetimes",

	"turnstile": "Cloudflare Turnstile, in the place of the proof of work",
	"dev":       "Sample app",
}

// Defaults gives the values of the ${…} in the tags above.
func Defaults() map[string]string {
	c := otp.DefaultConfig()
	return map[string]string{
		"otp_digits":            itoa(c.Digits),
		"otp_code_ttl":          Duration(c.CodeTTL).String(),
		"otp_ttl":               Duration(c.TTL).String(),
		"otp_tries":             itoa(c.Tries),
		"otp_sends":             itoa(c.Sends),
		"otp_resend_wait":       Duration(c.ResendWaits[0]).String(),
		"otp_proof_bits":        itoa(c.ProofBits),
		"turnstile_endpoint":    turnstile.Endpoint,
		"limit_ip_proof":        Windows(c.Limits.IPProof).String(),
		"limit_ip_waits":        Windows(c.Limits.IPWaits).String(),
		"limit_ip_sends":        Windows(c.Limits.IPSends).String(),
		"limit_ip_guesses":      Windows(c.Limits.IPGuesses).String(),
		"limit_recipient_sends": Windows(c.Limits.RecipientSends).String(),
		"limit_unknown_sends":   Windows(c.Limits.UnknownSends).String(),
		"limit_unknown_notices": Windows(c.Limits.UnknownNotices).String(),
		"limit_account_guesses": Windows(c.Limits.AccountGuesses).String(),
		"limit_guess_alarm":     Windows{c.GuessAlarm}.String(),
	}
}

// OTP gives the code engine's configuration, checked.
func (s *Server) OTP() (otp.Config, error) {
	c := otp.DefaultConfig()
	wait := time.Duration(s.OTPResendWait)
	c.Digits, c.Tries, c.Sends, c.ProofBits = s.OTPDigits, s.OTPTries, s.OTPSends, s.OTPProofBits
	c.CodeTTL, c.TTL = time.Duration(s.OTPCodeTTL), time.Duration(s.OTPTTL)
	c.ResendWaits = []time.Duration{wait, 2 * wait}
	c.Limits = otp.Limits{
		IPSends: s.LimitIPSends, IPProof: s.LimitIPProof, IPWaits: s.LimitIPWaits, IPGuesses: s.LimitIPGuesses, RecipientSends: s.LimitRecipientSends,
		UnknownSends: s.LimitUnknownSends, UnknownNotices: s.LimitUnknownNotices, AccountGuesses: s.LimitAccountGuesses,
	}
	c.GuessAlarm = store.Window{}
	if len(s.LimitGuessAlarm) > 1 {
		return c, fmt.Errorf("IDP_LIMIT_GUESS_ALARM is %s: give one count/period, or off", s.LimitGuessAlarm)
	}
	if len(s.LimitGuessAlarm) == 1 {
		c.GuessAlarm = s.LimitGuessAlarm[0]
	}
	if err := c.Validate(); err != nil {
		lines := strings.Split(err.Error(), "\n")
		slices.Sort(lines)
		return c, errors.New(strings.Join(lines, "\n"))
	}
	return c, nil
}

// CheckTTL tells which lifetime is out of bounds. A token lives longer than the
// 60 s that client libraries take off it, and no longer than the day for which a
// retired key stays published.
func (s *Server) CheckTTL() error {
	var errs []error
	for _, b := range []struct {
		name            string
		value           Duration
		lowest, highest time.Duration
	}{
		{"IDP_TTL_AUTH_CODE", s.TTLAuthCode, time.Second, 10 * time.Minute},
		{"IDP_TTL_ACCESS_TOKEN", s.TTLAccessToken, 61 * time.Second, 24 * time.Hour},
		{"IDP_TTL_ID_TOKEN", s.TTLIDToken, 61 * time.Second, 24 * time.Hour},
		{"IDP_TTL_REFRESH_IDLE", s.TTLRefreshIdle, 5 * time.Minute, 365 * 24 * time.Hour},
		{"IDP_TTL_REFRESH_ABSOLUTE", s.TTLRefreshAbsolute, 5 * time.Minute, 365 * 24 * time.Hour},
		{"IDP_TTL_SESSION_IDLE", s.TTLSessionIdle, time.Minute, 365 * 24 * time.Hour},
		{"IDP_TTL_SESSION_ABSOLUTE", s.TTLSessionAbsolute, time.Minute, 365 * 24 * time.Hour},
	} {
		if v := time.Duration(b.value); v < b.lowest || v > b.highest {
			errs = append(errs, fmt.Errorf("%s is %s: choose %s to %s", b.name, b.value, Duration(b.lowest), Duration(b.highest)))
		}
	}
	if s.TTLRefreshIdle > s.TTLRefreshAbsolute {
		errs = append(errs, fmt.Errorf("IDP_TTL_REFRESH_IDLE (%s) is longer than IDP_TTL_REFRESH_ABSOLUTE (%s)", s.TTLRefreshIdle, s.TTLRefreshAbsolute))
	}
	if s.TTLSessionIdle > s.TTLSessionAbsolute {
		errs = append(errs, fmt.Errorf("IDP_TTL_SESSION_IDLE (%s) is longer than IDP_TTL_SESSION_ABSOLUTE (%s)", s.TTLSessionIdle, s.TTLSessionAbsolute))
	}
	return errors.Join(errs...)
}

// CheckMail tells whether the delivery log is kept for too short or too long: the rows
// that are removed are looked for 400 days back.
func (s *Server) CheckMail() error {
	const lowest, highest = 24 * time.Hour, 400 * 24 * time.Hour
	if v := time.Duration(s.MailKeep); v < lowest || v > highest {
		return fmt.Errorf("IDP_MAIL_KEEP is %s: choose 1d to %s", s.MailKeep, Duration(highest))
	}
	return nil
}

// CheckCeiling tells whether the ceiling of all mails is none.
func (s *Server) CheckCeiling() error {
	const most, lowest, highest = 10_000_000, time.Hour, 31 * 24 * time.Hour
	if len(s.LimitMails) > 1 {
		return fmt.Errorf("IDP_LIMIT_MAILS is %s: give one count/period, or off", s.LimitMails)
	}
	for _, w := range s.LimitMails {
		if w.Count > most {
			return fmt.Errorf("IDP_LIMIT_MAILS counts %d: choose 1 to %d", w.Count, most)
		}
		if w.Period < lowest || w.Period > highest {
			return fmt.Errorf("IDP_LIMIT_MAILS is per %s: choose 1h to %s", Duration(w.Period), Duration(highest))
		}
	}
	return nil
}

// Ceiling is that of all mails together, checked by CheckCeiling; the zero Window is none.
func (s *Server) Ceiling() (w store.Window) {
	if len(s.LimitMails) > 0 {
		w = s.LimitMails[0]
	}
	return w
}

// CheckAudit tells whether the audit log is kept for too short or too long.
func (s *Server) CheckAudit() error {
	const lowest, highest = 24 * time.Hour, 3650 * 24 * time.Hour
	if v := time.Duration(s.AuditKeep); v < lowest || v > highest {
		return fmt.Errorf("IDP_AUDIT_KEEP is %s: choose 1d to %s", s.AuditKeep, Duration(highest))
	}
	return nil
}

// CheckStop tells whether the server would go on for too long after the signal to stop:
// nobody waits for minutes before he kills it.
func (s *Server) CheckStop() error {
	const highest = 5 * time.Minute
	if v := time.Duration(s.StopDelay); v < 0 || v > highest {
		return fmt.Errorf("IDP_STOP_DELAY is %s: choose up to %s", s.StopDelay, Duration(highest))
	}
	return nil
}

// Off lists the limits that are switched off. The ceiling of all mails is not one of them: how many
// are too many only the operator can know.
func (s *Server) Off() (names []string) {
	for name, w := range map[string]Windows{
		"IDP_LIMIT_IP_SENDS": s.LimitIPSends, "IDP_LIMIT_IP_PROOF": s.LimitIPProof, "IDP_LIMIT_IP_WAITS": s.LimitIPWaits, "IDP_LIMIT_IP_GUESSES": s.LimitIPGuesses,
		"IDP_LIMIT_RECIPIENT_SENDS": s.LimitRecipientSends, "IDP_LIMIT_UNKNOWN_SENDS": s.LimitUnknownSends,
		"IDP_LIMIT_UNKNOWN_NOTICES": s.LimitUnknownNotices, "IDP_LIMIT_ACCOUNT_GUESSES": s.LimitAccountGuesses,
		"IDP_LIMIT_GUESS_ALARM": s.LimitGuessAlarm,
	} {
		if len(w) == 0 {
			names = append(names, name)
		}
	}
	return names
}

// Key gives the key of a flag in the file: otp_code_ttl for otp-code-ttl.
func Key(flag string) string { return strings.ReplaceAll(flag, "-", "_") }

// Variable gives the environment variable of a key: IDP_OTP_CODE_TTL.
func Variable(key string) string { return prefix + strings.ToUpper(key) }

const prefix = "IDP_"
