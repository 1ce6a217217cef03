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
	enhanced   = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})([\s:;,]|$)`)
	tooFast    = regexp.MustCompile(`(?i)thrott|too many|rate limit|rate exceeded|sending rate|too fast|slow down`)
	accountOut = regexp.MustCompile(`(?i)quota exceeded|sending limit|sending paused|sending suspended|account (is )?(paused|suspended|disabled)`)
	notOurs    = regexp.MustCompile(`(?i)not verified|verify the|relay|authentication (is )?required|must (be )?authenticat|authenticate first|not owned by|not allowed to send|` +
		`verified sender identity|not authorized to perform|(your|smtp) account is not (yet )?activated`) // SendGrid, SES, Brevo
	unknown = regexp.MustCompile(`(?i)user unknown|unknown user|no such|not exist|not found|no mailbox|invalid (mailbox|recipient)`)
	policy  = regexp.MustCompile(`(?i)spam|block|black ?list|reputation|policy|\bspf\b|dkim|dmarc|denied|prohibited|content|virus|listed|sender`)
	full    = regexp.MustCompile(`(?i)quota|\bfull\b|storage|too large`)

	// Of an answer that came after the sender was taken.
	sendingOut = regexp.MustCompile(`(?i)sending (limit|quota|paused|suspended)|daily .*(limit|quota)|max(imum)? emails per`)            // no mailbox is said to send
	halting    = regexp.MustCompile(`(?i)submission ?quota|sender throttled due|storedrv\.submission\.exception:(outboundspam|quota)|` + // Microsoft
		`unusual sending activity|exceeded the max defers and failures`) // Zoho, cPanel
	senderWrong = regexp.MustCompile(`(?i)sender address rejected|not owned by|\bsend as\b|sendasdenied|storedrv\.submission|` +
		`sender verif(y|ication) failed|could not complete sender verify|^(postmaster )?verification failed (for|while checking)|^callback setup failed while verifying`) // Exim, of the sender only
	ofRecipient = regexp.MustCompile(`(?i)recipient address rejected|mailbox|gr[ae]y-?list|\b(this|the|that) (user|recipient|address)\b`)
	submitted   = regexp.MustCompile(`(?i)storedrv\.submission\S*recipient`) // Microsoft: InvalidRecipients, TooManyRecipients
	receiving   = regexp.MustCompile(`(?i)receiving (e?mail|messages)`)      // Gmail: too much for the moment

	boxFull     = regexp.MustCompile(`(?i)quota|\bfull\b`)
	noRecipient = regexp.MustCompile(`(?i)recipient|rcpt|sequence`)          // of a 503
	later       = regexp.MustCompile(`(?i)try (it )?(again|later)|deferred`) // greylisting that does not say so

	quoted  = regexp.MustCompile(`<[^<>]*>|\S+@\S+`)
	word    = regexp.MustCompile(`[a-z0-9]+`)
	another = regexp.MustCompile(`(?i)\b(said|responded|response|callout verification failed):`)
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

// halts are the enhanced codes that say that the account may send no more for now.
var halts = []string{
	"5.4.5",  // Gmail: the end of its day
	"5.1.90", // Microsoft, likewise
	// Microsoft, for a while after many mails of ours that were refused for one reason.
	"5.2.251", "5.2.253", "5.2.254", "5.2.255",
}

// aboutSender are the enhanced codes, without their class, that name an address or a mailbox
// and mean the sender's.
var aboutSender = []string{
	".1.7",   // its address is none
	".1.8",   // its domain is none; at Microsoft, the account is blocked
	".2.252", // Microsoft: the account may not send as fromEmail
}

// classify tells what to do about a mail to the address to that was not taken.
func classify(err error, to string) *mailer.SendError {
	var f *fault
	if !errors.As(err, &f) {
		return &mailer.SendError{Class: mailer.Temporary, Err: err, Unsure: true}
	}
	var answer *textproto.Error
	if errors.As(f.err, &answer) {
		class, hint, recipient := heard(answer, to).classOf(f.stage)
		return &mailer.SendError{Class: class, Hint: hint, Recipient: recipient,
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

// said is an answer.
type said struct {
	code   int
	status string // enhanced code, or ""
	text   string // its own words without those that a stranger chose: what is about us is looked for here
	words  string // with the name of the mailbox, which may be called "recipient": what is about it is looked for here
	whole  string // with what another server said, too
	names  bool   // the recipient
}

// heard reads an answer about a mail to the address to. A server repeats the address, or
// the name of the mailbox alone, and what the recipient's server told it: who types an
// address chooses these words.
func heard(answer *textproto.Error, to string) said {
	text := strings.ToLower(answer.Msg)
	local, domain, _ := strings.Cut(strings.ToLower(to), "@")
	s := said{code: answer.Code}
	// A server without these codes begins like this, too, with the name of a mailbox.
	if found := enhanced.FindStringSubmatch(text); found != nil && found[1] != local {
		s.status = found[1]
		text = strings.TrimLeft(text[len(s.status):], " \n:;,")
	}
	if domain != "" {
		// SES names what it may not send to by the address or its domain.
		s.names = strings.Contains(text, local+"@"+domain) || strings.Contains(text, "identity/"+domain)
	}
	text = quoted.ReplaceAllString(text, "")
	if domain != "" {
		text = strings.ReplaceAll(text, domain, "")
	}
	s.words, s.whole = text, text
	if cut := another.FindStringIndex(text); cut != nil {
		s.words = text[:cut[0]]
	}
	s.text = without(s.words, local)
	return s
}

// without takes the name of a mailbox, each word of it, out of what a server says.
func without(text, local string) string {
	named := word.FindAllString(local, -1)
	return word.ReplaceAllStringFunc(text, func(w string) string {
		if slices.Contains(named, w) {
			return "~"
		}
		return w
	})
}

// classOf gives the class of an answer, what to do about it, and whether it is about this
// recipient and says nothing of the connector.
//
// Until the sender was taken a server speaks about us. After that anybody can bring about
// what it says, by typing an address: it is about the recipient unless it cannot be.
func (s said) classOf(at stage) (class mailer.Class, hint string, recipient bool) {
	switch {
	case at != stageRcpt && at != stageData && at != stageBody:
		class, hint = s.aboutUs(at)
		return class, hint, false
	case s.code < 500:
		return s.deferral(at)
	}
	return s.refusal(at)
}

// aboutUs is for an answer before the recipient was named.
func (s said) aboutUs(at stage) (mailer.Class, string) {
	switch code := s.code; {
	case accountOut.MatchString(s.text), s.halted():
		return mailer.Paused, pausedHint
	case code < 500 && s.tooFast():
		return mailer.Throttled, rateHint
	case code < 500:
		return mailer.Temporary, ""
	case s.signIn(), at == stageAuth:
		return mailer.Misconfigured, "Look at auth: user and password, an application password where the account has two factors."
	case code >= 500 && code <= 504:
		return mailer.Misconfigured, commandHint
	case at == stageGreet, at == stageTLS:
		return mailer.Misconfigured, "The server does not serve this machine: look at the provider's list of allowed addresses."
	case code == 552:
		return mailer.Rejected, fullHint
	case s.sender(), notOurs.MatchString(s.text):
		return mailer.Misconfigured, relayHint
	}
	return mailer.Misconfigured, "The server does not let this account send from fromEmail: verify the address or domain with the provider."
}

// deferral is for a 4xx after the sender was taken.
func (s said) deferral(at stage) (mailer.Class, string, bool) {
	recipient := s.recipient(at)
	switch {
	case s.halted(), !recipient && s.accountOut(at):
		return mailer.Paused, pausedHint, false
	case !recipient && s.tooFast():
		return mailer.Throttled, rateHint, false
	case !s.ofAddress() && notOurs.MatchString(s.text) && at == stageRcpt:
		return mailer.Misconfigured, relayHint, true // 454 4.7.1 Relay access denied
	case s.sender():
		return mailer.Temporary, "", false
	}
	return mailer.Temporary, "", recipient || s.code == 450 || at == stageRcpt && s.code != 421 || s.greylisted()
}

// refusal is for a 5xx after the sender was taken.
func (s said) refusal(at stage) (mailer.Class, string, bool) {
	recipient := s.recipient(at)
	switch {
	case s.halted(), !recipient && s.accountOut(at):
		return mailer.Paused, pausedHint, false
	case s.sender():
		return mailer.Misconfigured, relayHint, false
	case slices.Contains(refusals, s.status) && !receiving.MatchString(s.words), at == stageRcpt && s.saysUnknown():
		return mailer.Refused, "", true
	case s.code == 552, s.ofAddress(), at == stageRcpt && s.status == "" && full.MatchString(s.words):
		return mailer.Rejected, fullHint, true
	case s.signIn(), notOurs.MatchString(s.text):
		// Servers that relay to some domains only, or to some groups from some senders.
		return mailer.Misconfigured, relayHint, recipient || at == stageRcpt
	case !recipient && s.ofCommand(at):
		return mailer.Misconfigured, commandHint, false
	case strings.HasPrefix(s.status, "5.7."), policy.MatchString(s.words):
		return mailer.Rejected, "The server refuses the mail by its rules: look at SPF, DKIM and DMARC of the sender's domain, and at its reputation.", true
	}
	return mailer.Rejected, "", true
}

// recipient tells whether the answer can only be about the recipient.
func (s said) recipient(at stage) bool {
	if s.halted() || s.sender() {
		return false
	}
	return s.storage(at) || s.names || s.ofAddress() || ofRecipient.MatchString(s.words)
}

// storage tells whether a mailbox is full, by the bare code. After the recipient was taken
// a 452 may be about the server's own disk (RFC 5321, 4.2.1).
func (s said) storage(at stage) bool {
	if s.status != "" || sendingOut.MatchString(s.text) {
		return false
	}
	return s.code == 552 || s.code == 452 && (at == stageRcpt || boxFull.MatchString(s.words))
}

// ofAddress tells whether the enhanced code is about the recipient's address or mailbox.
func (s said) ofAddress() bool {
	return !s.sender() && len(s.status) > 1 && (strings.HasPrefix(s.status[1:], ".1.") || strings.HasPrefix(s.status[1:], ".2."))
}

// sender tells whether the answer is about the sender.
func (s said) sender() bool {
	if s.status != "" && slices.Contains(aboutSender, s.status[1:]) {
		return true
	}
	return !s.names && senderWrong.MatchString(s.text) && !submitted.MatchString(s.text)
}

// halted tells whether the account may send no more, in words or by a code that no server
// has for a recipient, wherever it is said.
func (s said) halted() bool {
	return slices.Contains(halts, s.status) || !s.names && halting.MatchString(s.text)
}

// accountOut tells whether the account may send no more. What is said of a recipient's
// account and quota must not pass for it.
func (s said) accountOut(at stage) bool {
	if at == stageRcpt {
		return sendingOut.MatchString(s.text)
	}
	return accountOut.MatchString(s.text) || sendingOut.MatchString(s.text)
}

func (s said) tooFast() bool {
	return tooFast.MatchString(s.text) || s.code == 421 && s.status == "4.7.0" || s.status == "4.7.28"
}

// greylisted tells whether a 451 may be greylisting after the recipient was taken: filters
// that see the whole mail often say no more than "try again later".
func (s said) greylisted() bool {
	return s.code == 451 && (strings.HasPrefix(s.status, "4.7.") || s.status == "" && later.MatchString(s.words))
}

func (s said) signIn() bool { return s.code == 530 || s.code == 534 || s.code == 535 || s.code == 538 }

// ofCommand tells whether the server does not do what we ask, whoever the mail is for. If
// it says so to the recipient, the address may be odd; a 501 to the mail may be about the
// header with that address, and a 503 about a recipient that was taken and then dropped.
func (s said) ofCommand(at stage) bool {
	switch {
	case at == stageRcpt, policy.MatchString(s.words):
		return false
	case s.code == 501:
		return at == stageData
	case s.code == 503:
		return !noRecipient.MatchString(s.words)
	}
	return s.code == 500 || s.code == 502 || s.code == 504
}

// saysUnknown reads the answer of a server without enhanced codes. An address that is
// wrongly kept from all mail costs its owner more than a few vain attempts.
func (s said) saysUnknown() bool {
	if s.status != "" || s.code != 550 && s.code != 551 && s.code != 553 || senderWrong.MatchString(s.whole) {
		return false
	}
	return unknown.MatchString(s.whole) || !tooFast.MatchString(s.whole) && !sendingOut.MatchString(s.whole) &&
		!policy.MatchString(s.whole) && !notOurs.MatchString(s.whole) && !full.MatchString(s.whole)
}

const (
	commandHint = "The server does not understand this command: is it a mail submission server?"
	relayHint   = "The server does not send for this sender: sign in (auth), and verify fromEmail's address or domain with the provider."
	pausedHint  = "The provider lets this account send no more for now: look into its console."
	rateHint    = "Set maxPerSecond or maxConnections to what the provider allows."
	fullHint    = "The mail is too large for the server, or the mailbox is full."
)

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
