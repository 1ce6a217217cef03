package attack_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Whatever looks like an address of somebody is that address, another one, or none: nobody
// gets into an account from a mailbox that is not its own.
func TestSpellings(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		const victim = "ink.kiss@example.com"
		_, subject := at.newcomer(victim)
		// The same mailbox for us: the mail goes to the owner.
		for _, same := range []string{"INK.KISS@EXAMPLE.COM", "Ink.Kiss@Example.Com", " ink.kiss@example.com\t", "ink.kiss@ｅｘａｍｐｌｅ.com", "ink.kiss@example。com", "ink.kiss@e\u00adxample.com"} {
			before := len(at.mails.To(victim))
			p, a := at.browser().tryAt("sign-in", same)
			if p == nil {
				if a.status != http.StatusUnprocessableEntity {
					t.Errorf("%q: %s", same, a)
				}
				continue
			}
			p.email, p.sent = victim, before
			p.code(1)
		}
		// No address at all: no letter of another script becomes an ASCII one, nothing is cut off.
		for _, none := range []string{
			"in\u212a.kiss@example.com", "\u0130nk.kiss@example.com", "\u0131nk.kiss@example.com", "ink.ki\u017fs@example.com", "ink.ki\u00df@example.com",
			"іnk.kiss@example.com", "ｉｎｋ.ｋｉｓｓ@example.com", "ink.kiss\u200b@example.com", "ink.kiss\u0000@example.com", "ink.kiss\u0000@evil.example@example.com",
			"ink.kiss@example.com\u0000.evil.example", "ink.kiss@example.com@evil.example", "ink.kiss@evil.example,ink.kiss@example.com", "<ink.kiss@example.com>",
			"Ink <ink.kiss@example.com>", `"ink.kiss"@example.com`, "ink.kiss(x)@example.com", "ink.kiss@[127.0.0.1]", "ink..kiss@example.com", "ink.kiss.@example.com",
			"ink.kiss@example.com\r\nBcc: eve@evil.example", "ink.kiss@example.com\neve@evil.example", "ink.kiss@example.com%0aeve@evil.example",
		} {
			if p, a := at.browser().tryAt("sign-in", none); p != nil || a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest {
				t.Errorf("%q: %s, want a page that refuses it", none, a)
			}
		}
		// Other mailboxes, however alike: other accounts, and mail for the one that was typed.
		for _, like := range []string{
			"ink.kiss+x@example.com", "inkkiss@example.com", "i.n.k.kiss@example.com", "ink.kiss@ехample.com", "ink.kiss@exаmple.com", "ink.kiss@exampIe.com",
			"ink.kiss@straße.example", "ink.kiss@strasse.example", "ink.kiss@example.com.evil.example", "ink.kiss@example.co",
		} {
			before := len(at.mails.To(victim))
			mailbox, got := at.newcomer(like)
			if mailbox == victim || len(at.mails.To(victim)) != before {
				t.Errorf("%q is mailed to %s", like, victim)
			}
			if got == subject {
				t.Errorf("%q got into the account of %s", like, victim)
			}
		}
		for to := range at.recipients() {
			if strings.ContainsAny(to, "\r\n\x00 ,<>\"") {
				t.Errorf("a mail went to %q", to)
			}
		}
	}, "IDP_LIMIT_RECIPIENT_SENDS=1000/h", "IDP_LIMIT_UNKNOWN_SENDS=1000/h") // how often, is what bombing_test.go asks
}

// newcomer makes an account with an address as it was typed, and tells which mailbox the
// code went to, and whose account it is.
func (at *target) newcomer(typed string) (mailbox, subject string) {
	at.t.Helper()
	before := at.recipients()
	p := at.browser().askAt("register", typed)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for to, n := range at.recipients() {
			if n > before[to] {
				mailbox = to
				a := p.guess(at.mails.To(to)[n-1].Code)
				tok := at.replicas[0].Redeem(p.request, a.authorizationCode(at.t))
				_, claims := at.replicas[0].Userinfo(tok.AccessToken)
				subject, _ = claims["sub"].(string)
				if subject == "" || claims["email"] != mailbox {
					at.t.Errorf("%q: mailed to %s, signed in as %v", typed, mailbox, claims)
				}
				return mailbox, subject
			}
		}
	}
	at.t.Errorf("no mail for %q", typed)
	return "", ""
}

// recipients counts the mails of each address.
func (at *target) recipients() map[string]int {
	n := map[string]int{}
	for to, mails := range at.mails.All() {
		n[to] = len(mails)
	}
	return n
}
