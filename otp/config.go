package otp

import (
	"errors"
	"fmt"
	"time"

	"idp/store"
)

// Config holds every number of the code engine. [DefaultConfig] gives the ones
// that docs/security.md argues for.
type Config struct {
	Digits      int             // of a code
	CodeTTL     time.Duration   // how long one code is right
	TTL         time.Duration   // how long a challenge lives, never extended
	Tries       int             // wrong guesses per challenge, over all its codes
	Sends       int             // mails per challenge
	ResendWaits []time.Duration // before the second mail, the third, …; the last one repeats
	ProofBits   int             // a browser tries 2^ProofBits hashes on average where a proof is asked for
	Limits      Limits
	GuessAlarm  store.Window // wrong guesses on challenges that are not redeemed, over all addresses; the zero Window is no alarm
}

// Limits are budgets, each of one or two windows; an empty one is no limit.
type Limits struct {
	IPSends        []store.Window // code requests per network that were not redeemed
	IPProof        []store.Window // of these, those that need no proof; one window at most
	IPWaits        []store.Window // of those that need one, what is given to who has nothing to show but that he waited
	IPGuesses      []store.Window // wrong guesses per network
	RecipientSends []store.Window // mails per address
	UnknownSends   []store.Window // mails per address that really leave, while it has no account
	UnknownNotices []store.Window // the same of recoveries, whose mail says that there is none
	AccountGuesses []store.Window // wrong guesses per address, over all challenges
}

// DefaultConfig gives the product's numbers. The bound they make: each guess
// meets at most 3 live codes of 10^6, and an address takes 20 wrong guesses a day
// in the long run, so a guesser's chance is 6·10⁻⁵ per address and day (at most 39
// guesses in the worst single window of 24 hours, see docs/security.md).
func DefaultConfig() Config {
	const day = 24 * time.Hour
	return Config{
		Digits: 6, CodeTTL: 10 * time.Minute, TTL: 30 * time.Minute,
		Tries: 5, Sends: 3, ResendWaits: []time.Duration{time.Minute, 2 * time.Minute},
		GuessAlarm: store.Window{Count: 1000, Period: day},
		ProofBits:  19,
		Limits: Limits{
			// An office behind one address at nine in the morning needs room; what is
			// redeemed is given back.
			IPSends:        []store.Window{{Count: 300, Period: time.Hour}},
			IPProof:        []store.Window{{Count: 30, Period: time.Hour}},
			IPWaits:        []store.Window{{Count: 1, Period: 30 * time.Second}},
			IPGuesses:      []store.Window{{Count: 30, Period: 10 * time.Minute}},
			RecipientSends: []store.Window{{Count: 5, Period: time.Hour}, {Count: 15, Period: day}},
			UnknownSends:   []store.Window{{Count: 3, Period: time.Hour}, {Count: 6, Period: day}},
			UnknownNotices: []store.Window{{Count: 1, Period: day}},
			AccountGuesses: []store.Window{{Count: 10, Period: time.Hour}, {Count: 20, Period: day}},
		},
	}
}

// Validate tells what is out of bounds, with the setting's name.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.Digits >= 6 && c.Digits <= store.MaxDigits, "IDP_OTP_DIGITS is %d: choose 6 to %d", c.Digits, store.MaxDigits)
	check(c.CodeTTL >= time.Minute && c.CodeTTL <= 30*time.Minute, "IDP_OTP_CODE_TTL is %s: choose 1m to 30m", c.CodeTTL)
	check(c.CodeTTL%time.Minute == 0, "IDP_OTP_CODE_TTL is %s: choose whole minutes, which is how the mail says it", c.CodeTTL)
	check(c.TTL >= c.CodeTTL && c.TTL <= 2*time.Hour, "IDP_OTP_TTL is %s: choose at least the code's life (%s) and at most 2h", c.TTL, c.CodeTTL)
	check(c.Tries >= 1 && c.Tries <= 10, "IDP_OTP_TRIES is %d: choose 1 to 10", c.Tries)
	check(c.Sends >= 1 && c.Sends <= store.MaxLiveCodes, "IDP_OTP_SENDS is %d: choose 1 to %d", c.Sends, store.MaxLiveCodes)
	check(len(c.ResendWaits) > 0, "IDP_OTP_RESEND_WAIT is empty: give at least one wait, such as 60s")
	for _, w := range c.ResendWaits {
		check(w >= time.Second && w <= c.TTL, "IDP_OTP_RESEND_WAIT has %s: choose 1s to the challenge's life (%s)", w, c.TTL)
	}
	check(c.ProofBits >= 8 && c.ProofBits <= 26, "IDP_OTP_PROOF_BITS is %d: choose 8 to 26; each one more doubles the time", c.ProofBits)
	check(len(c.Limits.IPProof) <= 1, "IDP_LIMIT_IP_PROOF has %d windows: give one", len(c.Limits.IPProof))
	for name, windows := range map[string][]store.Window{
		"IDP_LIMIT_IP_SENDS": c.Limits.IPSends, "IDP_LIMIT_IP_PROOF": c.Limits.IPProof, "IDP_LIMIT_IP_WAITS": c.Limits.IPWaits, "IDP_LIMIT_IP_GUESSES": c.Limits.IPGuesses,
		"IDP_LIMIT_RECIPIENT_SENDS": c.Limits.RecipientSends, "IDP_LIMIT_UNKNOWN_SENDS": c.Limits.UnknownSends,
		"IDP_LIMIT_UNKNOWN_NOTICES": c.Limits.UnknownNotices, "IDP_LIMIT_ACCOUNT_GUESSES": c.Limits.AccountGuesses,
	} {
		check(len(windows) <= 2, "%s has %d windows: give one or two", name, len(windows))
		for _, w := range windows {
			check(w.Count >= 1 && w.Count <= 1_000_000, "%s counts %d: choose 1 to 1000000", name, w.Count)
			check(w.Period >= time.Second && w.Period <= 31*24*time.Hour, "%s is per %s: choose 1s to 31 days", name, w.Period)
		}
	}
	if w := c.GuessAlarm; w.Count > 0 {
		check(w.Count >= 10 && w.Count <= 1_000_000, "IDP_LIMIT_GUESS_ALARM counts %d: choose 10 to 1000000", w.Count)
		check(w.Period >= time.Hour && w.Period <= 24*time.Hour, "IDP_LIMIT_GUESS_ALARM is per %s: choose 1h to 24h", w.Period)
	}
	return errors.Join(errs...)
}

// codeTTL and tries are what an attempt has: an experience can only narrow what the
// instance was started with.
func (e *Engine) codeTTL(a store.Attempt) time.Duration {
	if a.CodeTTL <= 0 {
		return e.config.CodeTTL
	}
	return max(time.Minute, min(a.CodeTTL, e.config.CodeTTL))
}

func (e *Engine) tries(a store.Attempt) int {
	if a.Tries <= 0 {
		return e.config.Tries
	}
	return min(a.Tries, e.config.Tries)
}

// digits are those of a new code for a purpose.
func (e *Engine) digits(p store.Purpose) int {
	if e.alarm.on.Load() {
		return e.alarmDigits()
	}
	return e.usualDigits(p)
}

func (e *Engine) usualDigits(p store.Purpose) int {
	if p == store.PurposeConsole {
		return max(store.ConsoleDigits, e.config.Digits)
	}
	return e.config.Digits
}

func (e *Engine) alarmDigits() int { return max(AlarmDigits, e.config.Digits) }

// lengths are those that a live code for a purpose may have: one that was made before the alarm
// is as good after it began, and one that was made in it after it has ended.
func (e *Engine) lengths(p store.Purpose) []int {
	return []int{e.usualDigits(p), e.alarmDigits()}
}

// wait is how long after the send number sent (from 1) the next one is allowed.
func (c Config) wait(sent int) time.Duration {
	return c.ResendWaits[min(sent, len(c.ResendWaits))-1]
}
