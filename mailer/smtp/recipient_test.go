package smtp_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	smtpd "github.com/emersion/go-smtp"

	"idp/mailer"
)

// judged sends a mail to a server that says the lines at a step.
func judged(t *testing.T, to, step, lines string) *mailer.SendError {
	t.Helper()
	changed := mail
	changed.To = to
	_, err := send(t, sender(t, refusing(t, step, lines), nil), changed)
	return failedAny(t, err)
}

// refusing runs a server that takes everything but at one step, and says there what it is
// given, word for word: "550-5.1.1 one", "550 5.1.1 two".
func refusing(t *testing.T, step, lines string) string {
	t.Helper()
	said := strings.ReplaceAll(lines, "\n", "\r\n") + "\r\n"
	return script(t, func(c net.Conn) {
		at := func(name, otherwise string) {
			if name == step {
				otherwise = said
			}
			fmt.Fprint(c, otherwise)
		}
		in := bufio.NewScanner(c)
		fmt.Fprint(c, "220 hi\r\n")
		for in.Scan() {
			switch verb, _, _ := strings.Cut(in.Text(), " "); verb {
			case "MAIL":
				at("mail", "250 ok\r\n")
			case "RCPT":
				at("rcpt", "250 ok\r\n")
			case "DATA":
				at("data", "354 go ahead\r\n")
				if step == "data" {
					continue
				}
				for in.Scan() && in.Text() != "." {
				}
				at("taken", "250 ok\r\n")
			case "QUIT":
				fmt.Fprint(c, "221 bye\r\n")
				return
			default:
				fmt.Fprint(c, "250 ok\r\n")
			}
		}
	})
}

// What anybody can bring about by typing an address says nothing of the connector.
func TestAnswerAboutTheRecipient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step, line string
		want       mailer.Class
	}{
		{"rcpt", "552 5.2.2 <ada@example.com>: Recipient address rejected: Quota exceeded (mailbox for user is full)", mailer.Rejected},             // Dovecot
		{"rcpt", "552 5.7.1 <ada@example.com>: Recipient address rejected: Quota exceeded", mailer.Rejected},                                        // the same without a code of its own
		{"rcpt", "550 mailbox quota exceeded for this recipient", mailer.Rejected},                                                                  // mailutils
		{"rcpt", "552 Quota exceeded", mailer.Rejected},                                                                                             //
		{"rcpt", "452 4.2.2 Mailbox is full, quota exceeded", mailer.Temporary},                                                                     //
		{"rcpt", "452 Quota exceeded", mailer.Temporary},                                                                                            //
		{"rcpt", "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents more", mailer.Rejected},                    // Gmail
		{"rcpt", "450 4.2.1 The user you are trying to contact is receiving mail too quickly: rate limit", mailer.Temporary},                        // Gmail
		{"rcpt", "501 5.1.3 Bad recipient address syntax", mailer.Refused},                                                                          // Postfix
		{"rcpt", "504 5.5.2 <ada@example>: Recipient address rejected: need fully-qualified address", mailer.Rejected},                              // Postfix
		{"rcpt", "501 malformed address", mailer.Rejected},                                                                                          // Exim
		{"rcpt", "500 5.5.2 line too long", mailer.Rejected},                                                                                        //
		{"rcpt", "450 4.7.1 <ada@example.com>: Recipient address rejected: Policy Rejection- Message rate limit exceeded", mailer.Temporary},        // cluebringer
		{"rcpt", "554 5.7.1 <ada@example.com>: Recipient address rejected: Policy Rejection- Quota exceeded", mailer.Rejected},                      // cluebringer
		{"rcpt", "450 too many messages for this recipient", mailer.Temporary},                                                                      //
		{"rcpt", "450 4.1.2 <ada@example.com>: Recipient address rejected: Domain not found", mailer.Temporary},                                     // Postfix
		{"rcpt", "450 4.1.1 <ada@example.com>: Recipient address rejected: unverified address: Address verification in progress", mailer.Temporary}, // Postfix
		{"rcpt", "450 4.1.1 Address not verified: host mx.example.com said: 454 relay access denied, sending limit", mailer.Temporary},              // the recipient's server chose the words
		{"rcpt", "550 Verification failed for <ada@example.com> Response: 550 relay access denied", mailer.Rejected},                                // Exim
		{"rcpt", "451 4.7.1 Greylisting in action", mailer.Temporary},                                                                               //
		{"rcpt", "451 Temporary local problem - please try later", mailer.Temporary},                                                                // Exim, about a domain whose servers are silent
		{"rcpt", "421 4.2.1 mailbox is busy", mailer.Temporary},                                                                                     //
		{"rcpt", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", mailer.Misconfigured},                                         // Exchange
		{"rcpt", "554 5.7.1 <ada@example.com>: Relay access denied", mailer.Misconfigured},                                                          // Postfix, which takes its own domains
		{"rcpt", "454 4.7.1 <ada@example.com>: Relay access denied", mailer.Misconfigured},                                                          //
		{"rcpt", "530 SMTP authentication is required.", mailer.Misconfigured},                                                                      // hMailServer, which takes its own domains
		{"rcpt", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", mailer.Misconfigured},                          // Exchange
		{"data", "450 4.7.1 <DATA>: Data command rejected: Greylisted", mailer.Temporary},                                                           //
		{"data", "503 5.5.1 no valid recipients", mailer.Rejected},                                                                                  //
		{"taken", "552 5.2.2 <ada@example.com> Quota exceeded (mailbox for user is full)", mailer.Rejected},                                         // Dovecot LMTP behind a proxy
		{"taken", "452 4.2.2 <ada@example.com> Quota exceeded (mailbox for user is full)", mailer.Temporary},                                        //
		{"taken", "451 4.7.1 Try again later", mailer.Temporary},                                                                                    // rspamd, greylisting
		{"data", "451 4.7.1 Service unavailable - try again later", mailer.Temporary},                                                               // Postfix, for a milter that greylists (Plesk)
		{"taken", "451 4.7.1 Service unavailable - try again later", mailer.Temporary},                                                              //
		{"taken", "451 Temporarily deferred, please try again later", mailer.Temporary},                                                             // greylisting without a code or the word
		{"taken", "452 Quota exceeded", mailer.Temporary},                                                                                           //
		{"taken", "552 Quota exceeded", mailer.Rejected},                                                                                            //
		{"data", "503 5.5.1 Error: need RCPT command", mailer.Rejected},                                                                             //
		{"data", "503 Bad sequence of commands", mailer.Rejected},                                                                                   //
		{"data", "501 5.1.3 Bad recipient address syntax", mailer.Refused},                                                                          //
		{"taken", "501 Syntax error in the header To", mailer.Rejected},                                                                             //
		{"taken", "504 <ada@example.com> is not served here", mailer.Rejected},                                                                      //
		{"taken", "500 Message looks like spam", mailer.Rejected},                                                                                   //
		{"rcpt", "550 Too many messages, slow down", mailer.Rejected},                                                                               // nobody of that name it does not say
		{"rcpt", "550 5.1.1 Unknown user. Please send assets by post", mailer.Refused},
		{"rcpt", "550 5.7.1 Sender verification is required by this mailbox", mailer.Rejected},
		{"rcpt", "502 5.7.0 Unimplemented", mailer.Rejected},                                                    //
		{"taken", "550 5.2.2 mailbox over its daily limit", mailer.Rejected},                                    //
		{"taken", "452 4.2.2 mailbox over its daily limit", mailer.Temporary},                                   //
		{"rcpt", "550-Callout verification failed:\n550 554 Sending limit exceeded", mailer.Rejected},           // Exim: the recipient's server chose the words
		{"rcpt", "450-Callout verification failed:\n450 450 Too many connections", mailer.Temporary},            //
		{"rcpt", "550-Callout verification failed:\n550-550-no\n550 550 Sender verify failed", mailer.Rejected}, // an Exim about itself
		{"taken", "554 5.2.0 STOREDRV.Submission.Exception:InvalidRecipientsException; Failed to process message", mailer.Rejected},
		{"taken", "554 Access denied: User `arn:aws:iam::1:user/ada' is not authorized to perform `ses:SendRawEmail' on resource `arn:aws:ses:eu-west-1:1:identity/ada@example.com'", mailer.Misconfigured}, // SES, sandbox
		{"taken", "554 Access denied: User `arn:aws:iam::1:user/ada' is not authorized to perform `ses:SendRawEmail' on resource `arn:aws:ses:eu-west-1:1:identity/example.com'", mailer.Misconfigured},
		{"taken", "554 Message rejected: Email address is not verified. The following identities failed the check: ada@example.com", mailer.Misconfigured}, // SES, sandbox
	} {
		t.Run(c.step+" "+c.line, func(t *testing.T) {
			t.Parallel()
			e := judged(t, mail.To, c.step, c.line)
			if e.Class != c.want || !e.Recipient {
				t.Errorf("%s, of the recipient: %t; want %s", e.Class, e.Recipient, c.want)
			}
		})
	}
}

// What no address can bring about is about us, also if it comes late: Postfix keeps what it
// has against a client or a sender until the recipient.
func TestAnswerAboutUs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step, line string
		want       mailer.Class
	}{
		{"mail", "454 Throttling failure: Daily message quota exceeded.", mailer.Paused},
		{"rcpt", "550 5.4.5 Daily user sending limit exceeded", mailer.Paused},
		{"rcpt", "450 4.7.1 Sending limit exceeded for no-reply", mailer.Paused},
		{"rcpt", "450 4.7.1 Error: too many recipients from 192.0.2.1", mailer.Throttled},
		{"rcpt", "421 4.7.0 mx.example.net Error: too many errors", mailer.Throttled},
		{"rcpt", "421 4.3.2 Service shutting down", mailer.Temporary},
		{"rcpt", "553 5.7.1 <no-reply@shop.example>: Sender address rejected: not owned by user ada", mailer.Misconfigured},
		{"rcpt", "450 4.1.8 <no-reply@shop.example>: Sender address rejected: Domain not found", mailer.Temporary},
		{"rcpt", "550 5.1.8 Access denied, bad outbound sender", mailer.Misconfigured},
		{"taken", "554 5.2.252 SendAsDenied; ada not allowed to send as no-reply", mailer.Misconfigured},
		{"taken", "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied", mailer.Misconfigured},
		{"taken", "454 Throttling failure: Daily message quota exceeded.", mailer.Paused},
		{"taken", "421 4.7.28 Our system has detected an unusual rate of mail", mailer.Throttled},
		{"data", "502 5.7.0 Your SMTP account is not yet activated. Please contact us at contact@brevo.com", mailer.Misconfigured},
		{"taken", "550 5.7.1 Your SMTP account is not yet activated", mailer.Misconfigured},
		{"data", "502 5.5.1 Command not implemented", mailer.Misconfigured},
		{"data", "501 Syntax: DATA", mailer.Misconfigured},
		{"data", "503 5.5.1 Send hello first", mailer.Misconfigured},
		{"taken", "500 5.5.2 line too long", mailer.Misconfigured},
		{"taken", "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due to a permanent exception", mailer.Paused},
		{"taken", "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message: Actual verdict is RefuseQuota", mailer.Paused},
		{"taken", "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded", mailer.Paused}, // the sender's
		{"taken", "554 5.2.0 STOREDRV.Submission.Exception:AccountDisabledException; Failed to process message", mailer.Misconfigured},
		{"taken", "550 5.2.2 Submission quota exceeded", mailer.Paused},
		{"taken", "550 5.4.6 Unusual sending activity detected. Please try after sometime", mailer.Paused},                        // Zoho
		{"rcpt", "550 Domain shop.example has exceeded the max defers and failures per hour (5/5 (100%)) allowed", mailer.Paused}, // cPanel
		{"rcpt", "550 5.2.255 Sender throttled due to continuous invalid recipients errors.", mailer.Paused},
		{"taken", "550 5.2.251 Sender throttled due to continuous mailbox full errors.", mailer.Paused},
		{"taken", "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients", mailer.Paused},
		{"taken", "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.", mailer.Misconfigured},                                                                    // SendGrid
		{"taken", "554 Access denied: User `arn:aws:iam::1:user/ses' is not authorized to perform `ses:SendRawEmail' on resource `arn:aws:ses:eu-west-1:1:identity/no-reply@shop.example'", mailer.Misconfigured},               // SES
		{"rcpt", "550-Verification failed for <no-reply@shop.example>\n550-Called:   192.0.2.1\n550-Sent:     RCPT TO:<no-reply@shop.example>\n550-Response: 550 no such user\n550 Sender verify failed", mailer.Misconfigured}, // Exim
		{"rcpt", "550-Verification failed for <no-reply@shop.example>\n550-Called:   192.0.2.1\n550-Response: 550 no such user\n550 Go away", mailer.Misconfigured},
		{"rcpt", "550-Callback setup failed while verifying <no-reply@shop.example>\n550-Called:   192.0.2.1\n550-Response: 550 no such user\n550 Sender verify failed", mailer.Misconfigured},
		{"rcpt", "550 Sender verify failed", mailer.Misconfigured},
		{"rcpt", "451 Could not complete sender verify callout", mailer.Temporary},
		{"taken", "452 Insufficient system storage", mailer.Temporary},
		{"data", "452 Insufficient system storage", mailer.Temporary},
		{"taken", "451 4.3.0 Queue file write error", mailer.Temporary},
	} {
		t.Run(c.step+" "+c.line, func(t *testing.T) {
			t.Parallel()
			e := judged(t, mail.To, c.step, c.line)
			if e.Class != c.want || e.Recipient {
				t.Errorf("%s, of the recipient: %t; want %s", e.Class, e.Recipient, c.want)
			}
		})
	}
}

// An address that is repeated says nothing, whatever its letters.
func TestWordsInTheAddress(t *testing.T) {
	t.Parallel()
	to := mail
	to.To = "sending-limit.not-owned-by@relay.spamblock.example"
	server := newSink(t, bare, func(step string, _ *smtpd.Conn) error {
		if step == "rcpt" {
			return answer(t, "550 <Sending-Limit.not-owned-by@relay.spamblock.example>: nobody of that name at relay.spamblock.example")
		}
		return nil
	})
	_, err := send(t, server.sender(t, nil), to)
	failed(t, err, mailer.Refused)
}

// Nor does the name of a mailbox, which some servers repeat alone. A code is no name, and a
// name that takes words away takes none that tell of the recipient.
func TestWordsInTheName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, step, line string
		want             mailer.Class
		ours             bool
	}{
		{"daily", "rcpt", "550 User daily over quota", mailer.Rejected, false},
		{"daily", "taken", "550 User daily over quota", mailer.Rejected, false},
		{"not+daily", "taken", "550 User daily over quota", mailer.Rejected, false},
		{"throttle", "taken", "451 throttle: try again", mailer.Temporary, false},
		{"throttle", "rcpt", "451 throttle: try again", mailer.Temporary, false},
		{"too-fast.throttle", "taken", "450 Too-Fast.Throttle is busy", mailer.Temporary, false},
		{"relay", "taken", "550 relay: unknown", mailer.Rejected, false},
		{"5.4.5", "taken", "550 5.4.5: unknown", mailer.Rejected, false},
		{"5.4.5", "taken", "550 5.4.5@example.com unknown", mailer.Rejected, false},
		{"5.4.5+x", "taken", "550 5.4.5+x unknown", mailer.Rejected, false},
		{"mailbox", "taken", "550 5.7.1 mailbox quota exceeded", mailer.Rejected, false},
		{"recipient", "taken", "554 5.7.1 Recipient address rejected: Quota exceeded", mailer.Rejected, false},
		{"5", "taken", "550 5.4.5 Out for today", mailer.Paused, true},
		{"550", "taken", "550 5.1.90 Out for today", mailer.Paused, true},
		{"5.7.1", "taken", "550 5.1.8 Access denied", mailer.Misconfigured, true},
		{"e", "taken", "421 4.7.0 Slow down", mailer.Throttled, true},
		{"a", "taken", "554 Sending paused for this account", mailer.Paused, true},
	} {
		t.Run(c.name+" "+c.step+" "+c.line, func(t *testing.T) {
			t.Parallel()
			e := judged(t, c.name+"@example.com", c.step, c.line)
			if e.Class != c.want || e.Recipient == c.ours {
				t.Errorf("%s, of the recipient: %t; want %s", e.Class, e.Recipient, c.want)
			}
		})
	}
}

// Who writes to the sender itself, as a test mail may, gets it on no list when the server
// does not find it as a sender.
func TestSenderThatIsTheRecipient(t *testing.T) {
	t.Parallel()
	e := judged(t, "no-reply@shop.example", "rcpt", "550-Verification failed for <no-reply@shop.example>\n550-Response: 550 no such user\n550 Sender verify failed")
	if e.Class == mailer.Refused {
		t.Error(e)
	}
}
