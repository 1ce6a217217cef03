package smtp_test

import (
	"testing"

	smtpd "github.com/emersion/go-smtp"

	"idp/mailer"
)

// judged sends a mail to a server that says line at a step.
func judged(t *testing.T, step, line string) *mailer.SendError {
	t.Helper()
	server := newSink(t, bare, func(at string, _ *smtpd.Conn) error {
		if at == step {
			return answer(t, line)
		}
		return nil
	})
	_, err := send(t, server.sender(t, nil), mail)
	return failedAny(t, err)
}

// What anybody can bring about by typing an address says nothing of the connector.
func TestAnswerAboutTheRecipient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step, line string
		want       mailer.Class
	}{
		{"rcpt", "552 5.2.2 <ada@example.com>: Recipient address rejected: Quota exceeded (mailbox for user is full)", mailer.Rejected},                    // Dovecot
		{"rcpt", "552 5.7.1 <ada@example.com>: Recipient address rejected: Quota exceeded", mailer.Rejected},                                               // the same without a code of its own
		{"rcpt", "550 mailbox quota exceeded for this recipient", mailer.Rejected},                                                                         // mailutils
		{"rcpt", "552 Quota exceeded", mailer.Rejected},                                                                                                    //
		{"rcpt", "452 4.2.2 Mailbox is full, quota exceeded", mailer.Temporary},                                                                            //
		{"rcpt", "452 Quota exceeded", mailer.Temporary},                                                                                                   //
		{"rcpt", "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents more", mailer.Rejected},                           // Gmail
		{"rcpt", "450 4.2.1 The user you are trying to contact is receiving mail too quickly: rate limit", mailer.Temporary},                               // Gmail
		{"rcpt", "501 5.1.3 Bad recipient address syntax", mailer.Refused},                                                                                 // Postfix
		{"rcpt", "504 5.5.2 <ada@example>: Recipient address rejected: need fully-qualified address", mailer.Rejected},                                     // Postfix
		{"rcpt", "501 malformed address", mailer.Rejected},                                                                                                 // Exim
		{"rcpt", "500 5.5.2 line too long", mailer.Rejected},                                                                                               //
		{"rcpt", "450 4.7.1 <ada@example.com>: Recipient address rejected: Policy Rejection- Message rate limit exceeded", mailer.Temporary},               // cluebringer
		{"rcpt", "554 5.7.1 <ada@example.com>: Recipient address rejected: Policy Rejection- Quota exceeded", mailer.Rejected},                             // cluebringer
		{"rcpt", "450 too many messages for this recipient", mailer.Temporary},                                                                             //
		{"rcpt", "450 4.1.2 <ada@example.com>: Recipient address rejected: Domain not found", mailer.Temporary},                                            // Postfix
		{"rcpt", "450 4.1.1 <ada@example.com>: Recipient address rejected: unverified address: Address verification in progress", mailer.Temporary},        // Postfix
		{"rcpt", "450 4.1.1 Address not verified: host mx.example.com said: 454 relay access denied, sending limit", mailer.Temporary},                     // the recipient's server chose the words
		{"rcpt", "550 Verification failed for <ada@example.com> Response: 550 relay access denied", mailer.Rejected},                                       // Exim
		{"rcpt", "451 4.7.1 Greylisting in action", mailer.Temporary},                                                                                      //
		{"rcpt", "451 Temporary local problem - please try later", mailer.Temporary},                                                                       // Exim, about a domain whose servers are silent
		{"rcpt", "421 4.2.1 mailbox is busy", mailer.Temporary},                                                                                            //
		{"rcpt", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", mailer.Misconfigured},                                                // Exchange
		{"rcpt", "554 5.7.1 <ada@example.com>: Relay access denied", mailer.Misconfigured},                                                                 // Postfix, which takes its own domains
		{"rcpt", "454 4.7.1 <ada@example.com>: Relay access denied", mailer.Misconfigured},                                                                 //
		{"rcpt", "530 SMTP authentication is required.", mailer.Misconfigured},                                                                             // hMailServer, which takes its own domains
		{"rcpt", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", mailer.Misconfigured},                                 // Exchange
		{"data", "450 4.7.1 <DATA>: Data command rejected: Greylisted", mailer.Temporary},                                                                  //
		{"data", "503 5.5.1 no valid recipients", mailer.Rejected},                                                                                         //
		{"taken", "552 5.2.2 <ada@example.com> Quota exceeded (mailbox for user is full)", mailer.Rejected},                                                // Dovecot LMTP behind a proxy
		{"taken", "452 4.2.2 <ada@example.com> Quota exceeded (mailbox for user is full)", mailer.Temporary},                                               //
		{"taken", "451 4.7.1 Greylisted, please try again later", mailer.Temporary},                                                                        // rspamd
		{"taken", "554 Message rejected: Email address is not verified. The following identities failed the check: ada@example.com", mailer.Misconfigured}, // SES, sandbox
	} {
		t.Run(c.step+" "+c.line, func(t *testing.T) {
			t.Parallel()
			e := judged(t, c.step, c.line)
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
		{"taken", "451 4.3.0 Queue file write error", mailer.Temporary},
	} {
		t.Run(c.step+" "+c.line, func(t *testing.T) {
			t.Parallel()
			e := judged(t, c.step, c.line)
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
