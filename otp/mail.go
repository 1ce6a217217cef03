package otp

import (
	"net/netip"
	"time"

	"idp/store"
)

// noticeTTL is how long a notice is worth sending: that somebody got in is worth
// knowing a day later, long after the code is worth nothing.
const noticeTTL = 24 * time.Hour

// letter is the mail of a code in its row, and what is in it.
type letter struct {
	mail    store.NewMail
	message store.Message
	other   store.Message // for an address without an account, if it gets another mail
}

// letter seals the mail of a code. Only the store knows whether the address has an
// account, so the row of a recovery, or where no account can be made, takes both mails
// there and keeps one: the way is the same for all addresses.
func (e *Engine) letter(a store.Attempt, challenge store.ID, code string) (letter, error) {
	l := letter{message: e.message(a, challenge, a.Purpose.Usage(), e.codeTTL(a))}
	l.message.Code = code
	if a.Link != nil {
		l.message.Link = a.Link(challenge, code, e.store.Now().Add(e.codeTTL(a)))
	}
	var err error
	usage := unknownUsage(a)
	if l.mail, err = e.outbox.Seal(l.message, challenge); err != nil || usage == "" {
		return l, err
	}
	l.other = e.message(a, challenge, usage, e.codeTTL(a))
	other, err := e.outbox.Seal(l.other, challenge)
	l.mail.Other = &store.OtherMail{Usage: other.Usage, Payload: other.Payload}
	return l, err
}

// unknownUsage is the mail for an address without an account, "" where it gets the code
// like any other.
func unknownUsage(a store.Attempt) store.Usage {
	switch {
	case a.Closed:
		return store.UsageClosed
	case a.Purpose == store.PurposeRecover:
		return store.UsageNoAccount
	}
	return ""
}

// handOver has a committed letter sent.
func (e *Engine) handOver(b store.Begun, l letter) {
	if b.Again || b.Suppressed { // it may be under way already, and the lease decides; or it is not to go
		return
	}
	m := l.message
	if b.Other {
		m = l.other
	}
	e.outbox.Sent(l.mail, b.ID, m, b.Decoy)
}

// notice seals the mail that tells of a recovery. The same challenge always names
// the same row, so a double click makes one notice.
func (e *Engine) notice(t store.Try) (store.Notice, error) {
	a := store.Attempt{Email: t.Email, Browser: t.Browser, IP: t.IP, Locale: t.Locale, App: t.App, BrowserName: t.BrowserName}
	n := store.Notice{Message: e.message(a, t.Challenge, store.UsageRecovered, noticeTTL)}
	var err error
	if n.Mail, err = e.outbox.Seal(n.Message, t.Challenge); err != nil {
		return store.Notice{}, err
	}
	n.Mail.ID = t.Challenge
	sum := e.notices.Sum(t.Challenge[:])
	copy(n.Mail.ID[6:], sum[:])
	return n, nil
}

// message is what every mail says: to whom, who asked for it, and what to do if that was
// somebody else.
func (e *Engine) message(a store.Attempt, challenge store.ID, usage store.Usage, ttl time.Duration) store.Message {
	m := store.Message{
		To: a.Email, Usage: usage, Locale: a.Locale, CodeTTL: int(ttl / time.Minute),
		App: a.App, Browser: a.BrowserName, Place: place(a.IP), Asked: e.store.Now().Truncate(time.Second), Console: a.Purpose == store.PurposeConsole,
	}
	m.NotMe = e.notMe.link(m, challenge, a.Browser)
	return m
}

// place is how a mail names where the request came from.
func place(ip netip.Addr) string {
	if ip = ip.Unmap(); !ip.IsValid() || ip.IsLoopback() {
		return ""
	}
	return ip.WithZone("").String()
}
