package smtp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"idp/mailer"
)

// What servers say. Codes of RFC 5321 alone tell too little, and enhanced codes (RFC 3463)
// are not everywhere, so words decide where neither does.
var (
	enhanced   = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})\b`)
	tooFast    = regexp.MustCompile(`(?i)thrott|too many|rate limit|rate exceeded|sending rate|too fast|slow down`)
	accountOut = regexp.MustCompile(`(?i)quota exceeded|sending limit|sending paused|sending suspended|account (is )?(paused|suspended|disabled)`)
	notOurs    = regexp.MustCompile(`(?i)not verified|verify the|relay|authentication (is )?required|must (be )?authenticat|authenticate first|not owned by|not allowed to send`)
	unknown    = regexp.MustCompile(`(?i)user unknown|unknown user|no such|not exist|not found|no mailbox|invalid (mailbox|recipient)`)
	policy     = regexp.MustCompile(`(?i)spam|block|black ?list|reputation|policy|\bspf\b|dkim|dmarc|denied|prohibited|content|virus|listed|sender`)
)

// refusals are the enhanced codes that say that an address takes no mail.
var refusals = []string{
	"5.1.1",  // no such mailbox
	"5.1.2",  // no such domain
	"5.1.3",  // no address at all
	"5.1.6",  // moved away
	"5.1.10", // the domain takes no mail (RFC 7505)
	"5.2.1",  // mailbox switched off
}

// classify tells what to do about a mail that was not taken.
func classify(err error) *mailer.SendError {
	var f *fault
	if !errors.As(err, &f) {
		return &mailer.SendError{Class: mailer.Temporary, Err: err, Unsure: true}
	}
	var answer *textproto.Error
	if errors.As(f.err, &answer) {
		class, hint := classOf(f.stage, answer)
		return &mailer.SendError{Class: class, Hint: hint,
			Err: fmt.Errorf("the mail server answered \"%d %s\" to the %s", answer.Code, strings.Join(strings.Fields(answer.Msg), " "), f.stage)}
	}
	class, hint := classOfFault(f)
	if f.stage == stageBody {
		err = fmt.Errorf("the connection was lost before the server confirmed the mail, which may have been taken: %w", f.err)
	}
	return &mailer.SendError{Class: class, Hint: hint, Err: err, Unsure: f.stage == stageBody}
}

// classOfFault is for what no server said.
func classOfFault(f *fault) (mailer.Class, string) {
	var (
		name    *net.DNSError
		header  tls.RecordHeaderError
		offer   errOffer
		refused errToken
		invalid *tls.CertificateVerificationError
		host    x509.HostnameError
		alert   tls.AlertError
	)
	switch {
	case errors.As(f.err, &host):
		return mailer.Misconfigured, "The certificate is for another name: set host, or servername, to the name that the provider documents."
	case errors.As(f.err, &invalid):
		return mailer.Misconfigured, "The server's certificate is not trusted: renew it, or give the certificate that signed it in tls.ca."
	case errors.As(f.err, &header):
		return mailer.Misconfigured, `The port does not speak TLS from the first byte: port 587 goes with tls "starttls", port 465 with "tls".`
	case errors.Is(f.err, errNoTLS):
		return mailer.Misconfigured, "Use a port that encrypts (587 with STARTTLS, 465 with TLS). If the server used to offer it, somebody may be in between."
	case errors.Is(f.err, errClear):
		return mailer.Misconfigured, `Set tls to "starttls" or "tls".`
	case errors.As(f.err, &offer):
		return mailer.Misconfigured, "Look at authMethod and at the provider's documentation; without a need to sign in, leave auth out."
	case errors.As(f.err, &refused):
		return mailer.Misconfigured, "Look at clientId, clientSecret and refreshToken: the consent may have ended."
	case errors.As(f.err, &name) && name.IsNotFound:
		return mailer.Misconfigured, "host cannot be found in the DNS."
	case errors.As(f.err, &alert), f.stage == stageTLS && !ofNetwork(f.err):
		return mailer.Misconfigured, "The server's TLS and ours do not go together: it has to have TLS 1.2 or later."
	case f.stage == stageAuth && !ofNetwork(f.err):
		return mailer.Misconfigured, "Look at auth and authMethod."
	case f.stage == stageConnect:
		return mailer.Temporary, "Is the port open from this machine? Many clouds close 25; use 587 or 465."
	}
	return mailer.Temporary, ""
}

// ofNetwork tells a lost connection from what somebody has to mend.
func ofNetwork(err error) bool {
	var n net.Error
	return errors.As(err, &n) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errTokenAway)
}

// classOf is for an answer.
func classOf(at stage, answer *textproto.Error) (mailer.Class, string) {
	code, text := answer.Code, answer.Msg
	status := enhanced.FindString(text)
	switch {
	case accountOut.MatchString(text) || status == "5.4.5":
		return mailer.Paused, "The provider lets this account send no more for now: look into its console."
	case code < 500 && (tooFast.MatchString(text) || code == 421 && status == "4.7.0" || status == "4.7.28"):
		return mailer.Throttled, "Set maxPerSecond or maxConnections to what the provider allows."
	case code < 500 && notOurs.MatchString(text) && at == stageRcpt:
		return mailer.Misconfigured, relayHint // 454 4.7.1 Relay access denied
	case code < 500:
		return mailer.Temporary, ""
	case code == 530, code == 534, code == 535, code == 538, at == stageAuth:
		return mailer.Misconfigured, "Look at auth: user and password, an application password where the account has two factors."
	case code >= 500 && code <= 504:
		return mailer.Misconfigured, "The server does not understand this command: is it a mail submission server?"
	case at == stageGreet, at == stageTLS:
		return mailer.Misconfigured, "The server does not serve this machine: look at the provider's list of allowed addresses."
	case at != stageMail && slices.Contains(refusals, status), at == stageRcpt && saysUnknown(code, status, text):
		return mailer.Refused, ""
	case code == 552:
		return mailer.Rejected, "The mail is too large for the server, or the mailbox is full."
	case status == "5.1.7", status == "5.1.8", notOurs.MatchString(text):
		return mailer.Misconfigured, relayHint
	case at == stageMail:
		return mailer.Misconfigured, "The server does not let this account send from fromEmail: verify the address or domain with the provider."
	case strings.HasPrefix(status, "5.7."), policy.MatchString(text):
		return mailer.Rejected, "The server refuses the mail by its rules: look at SPF, DKIM and DMARC of the sender's domain, and at its reputation."
	}
	return mailer.Rejected, ""
}

// saysUnknown reads the answer of a server without enhanced codes. An address that is
// wrongly kept from all mail costs its owner more than a few vain attempts.
func saysUnknown(code int, status, text string) bool {
	if status != "" || code != 550 && code != 551 && code != 553 {
		return false
	}
	return unknown.MatchString(text) || !policy.MatchString(text) && !notOurs.MatchString(text)
}

const relayHint = "The server does not send for this sender: sign in (auth), and verify fromEmail's address or domain with the provider."

// The names that servers give a mail: Postfix, Exim, OpenSMTPD ("queued as X", "id=X"), and
// Amazon SES ("Ok X").
var names = regexp.MustCompile(`(?i)(?:queued as|queued with id|\bid[= ])\s*<?([\w.@-]{4,100})|^(?:2\.\d\.\d )?ok:? ([\w-]{10,100})$`)

// queueID finds the server's name for the mail in its last answer, or "".
func queueID(answer string) string {
	found := names.FindStringSubmatch(answer)
	if found == nil {
		return ""
	}
	return found[1] + found[2]
}
