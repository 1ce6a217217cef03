package otp

import (
	"context"
	"net/netip"
	"time"

	"idp/store"
	"idp/store/address"
)

// The limits: name, what the key is made of, why it is there. Keys are keyed
// hashes, so that a dump of the budgets shows neither addresses nor networks.
//
// Where it says "pools", a browser that has signed in to the address within 180 days
// (one of the ten that did so last) charges a row of its own, whose key has the browser's
// hash as well; all other browsers share one. So a stranger can neither use up the owner's
// mails nor the owner's guesses. An address that nobody has an account with has no known
// browsers, and takes the same way.
const (
	// ip_sends: network. Code requests that were not redeemed; keeps one machine from
	// mailing the world. Refunded when a code is redeemed. The same row gives some of them
	// for nothing (IDP_LIMIT_IP_PROOF); beyond these each takes a proof, so that an office
	// at nine in the morning gets in and a machine pays for each mail.
	limitIPSends = "ip_sends"
	// ip_waits: network. Code requests whose proof is that they have waited; without it,
	// waiting a hundredfold at the same time would cost no more than once.
	limitIPWaits = "ip_waits"
	// ip_guesses: network. Wrong guesses; keeps one machine from guessing on many
	// addresses. Charged before the address's budget, so that a stranger who is
	// stopped here spends nobody else's.
	limitIPGuesses = "ip_guesses"
	// recipient_sends: folded address; pools. Keeps a mailbox from being bombed, under any
	// spelling.
	limitRecipientSends = store.LimitRecipientSends
	// unknown_sends: folded address. Beyond it, mail to an address without an account is
	// a decoy: it goes nowhere and looks the same.
	limitUnknownSends = store.LimitUnknownSends
	// unknown_notices: folded address. The same for recoveries, and where no account can be
	// made: the mail to such an address says that there is no account: a person needs it once, and whoever asks
	// for others' addresses fills no mailbox with it.
	limitUnknownNotices = store.LimitUnknownNotices
	// account_guesses: exact address; pools. Wrong guesses over all challenges and entry
	// points; the bound of the whole design. While it is spent, codes are long ones
	// (code.go), which are bound by nothing but the tries of their challenge.
	limitAccountGuesses = store.LimitAccountGuesses
)

// full refuses what would have a mail sent while the ceiling of all mails is reached
// (package mailer counts them). It comes before everything that depends on the address, and
// charges nothing. The console's sign-in goes on: there operators are mailed all the same, and others
// are not, which only who reads their mailboxes can tell.
func (e *Engine) full(a store.Attempt, op string) error {
	if a.Purpose == store.PurposeConsole {
		return nil
	}
	if wait := e.outbox.Full(); wait > 0 {
		return &store.Error{Code: store.Limited, Op: op, Wait: max(wait, time.Second), Limit: store.LimitMails}
	}
	return nil
}

// limit makes a budget; without windows it is none.
func (e *Engine) limit(name, key string, windows []store.Window) store.Limit {
	if len(windows) == 0 {
		return store.Limit{}
	}
	l := store.Limit{Name: name, Key: e.budgets.Sum([]byte(name), []byte(key))}
	copy(l.Windows[:], windows)
	return l
}

// pools makes a budget of an address for what a browser asks.
func (e *Engine) pools(name, key string, browser store.Hash, windows []store.Window) store.Limit {
	l := e.limit(name, key, windows)
	if !l.IsZero() && !browser.IsZero() {
		l.Known = e.budgets.Sum([]byte(name), []byte(key), browser[:])
	}
	return l
}

func (e *Engine) ipSends(ip netip.Addr) store.Limit {
	l := e.limit(limitIPSends, network(ip), e.config.Limits.IPSends)
	l.Free = e.free()
	return l
}

// free is what a network gets without a proof.
func (e *Engine) free() store.Window {
	if len(e.config.Limits.IPProof) == 0 {
		return store.Window{}
	}
	return e.config.Limits.IPProof[0]
}

func (e *Engine) ipGuesses(ip netip.Addr) store.Limit {
	return e.limit(limitIPGuesses, network(ip), e.config.Limits.IPGuesses)
}

func (e *Engine) recipientSends(to store.Email, browser store.Hash) store.Limit {
	return e.pools(limitRecipientSends, address.Fold(to), browser, e.config.Limits.RecipientSends)
}

// allowance is the limits of the network that asks, by the proof that it shows. An app's
// own server, which asks for all of its people, is no visitor: the limits of the addresses
// bound it.
type allowance struct{ waits, sends store.Limit }

func (e *Engine) allowanceOf(ctx context.Context, a store.Attempt) (of allowance) {
	if a.Purpose == store.PurposeVerify {
		return of
	}
	of.sends = e.ipSends(a.IP)
	switch e.shown(ctx, a) {
	case shownNothing:
	case shownWaiting:
		of.sends.Free = store.Window{}
		of.waits = e.limit(limitIPWaits, network(a.IP), e.config.Limits.IPWaits)
	case shownProof:
		of.sends.Free = store.Window{}
	}
	return of
}

// guessesOf is the budget that has to have room for a code to be worth mailing; a long one
// needs none.
func (e *Engine) guessesOf(a store.Attempt, length int) store.Limit {
	if length == longCode {
		return store.Limit{}
	}
	return e.accountGuesses(a.Email, a.Browser)
}

// unknown is the limit of an address without an account. An app that verifies one knows
// whose it is.
func (e *Engine) unknown(a store.Attempt) store.Limit {
	if a.Purpose == store.PurposeVerify {
		return store.Limit{}
	}
	if unknownUsage(a) != "" {
		return e.limit(limitUnknownNotices, address.Fold(a.Email), e.config.Limits.UnknownNotices)
	}
	return e.limit(limitUnknownSends, address.Fold(a.Email), e.config.Limits.UnknownSends)
}

func (e *Engine) accountGuesses(of store.Email, browser store.Hash) store.Limit {
	return e.pools(limitAccountGuesses, string(of), browser, e.config.Limits.AccountGuesses)
}

// Limits are the limits that bound what browsers can do that are not known for an address,
// for administrators to see which are spent.
func (e *Engine) Limits(of store.Email) []store.Limit {
	c := e.config.Limits
	return []store.Limit{
		e.recipientSends(of, store.Hash{}), e.accountGuesses(of, store.Hash{}),
		e.limit(limitUnknownSends, address.Fold(of), c.UnknownSends), e.limit(limitUnknownNotices, address.Fold(of), c.UnknownNotices),
	}
}

// network is what one visitor holds: an IPv4 address, or the /64 of an IPv6 one
// (a /64 is the smallest that providers give out).
func network(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	if !ip.IsValid() {
		return "unknown"
	}
	if ip.Is4() {
		return ip.String()
	}
	p, _ := ip.Prefix(64)
	return p.String()
}
