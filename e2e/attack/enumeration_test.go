package attack_test

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Somebody with an account, somebody without, and somebody whose account is suspended are
// answered alike by every page and status that can be had without reading their mail: the same
// status, headers, cookies, words and lengths, and the same counters and waits, to the end of
// each budget.
func TestEnumeration(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		const registered, barred, nobody = "known01@example.com", "known02@example.com", "known03@example.com"
		at.people(registered, barred)
		at.replicas[0].Run("user", "suspend", barred)
		for _, screen := range slices.Sorted(maps.Keys(screens)) {
			want := at.transcript(screen, registered)
			if len(want) < 20 {
				t.Fatalf("%s: %q", screen, want)
			}
			for _, email := range []string{barred, nobody} {
				for i, line := range at.transcript(screen, email) {
					if line != want[i] {
						t.Errorf("%s of %s, step %d: %s", screen, email, i, difference(line, want[i]))
					}
				}
			}
		}
		// Nothing of a budget comes back while a slow machine is at it.
	}, "IDP_OTP_RESEND_WAIT=60s", "IDP_LIMIT_RECIPIENT_SENDS=9/h", "IDP_LIMIT_ACCOUNT_GUESSES=20/24h", "IDP_LIMIT_UNKNOWN_SENDS=3/h")
}

// transcript is all that a stranger is told who asks for codes for an address and guesses.
func (at *target) transcript(screen, email string) (lines []string) {
	at.t.Helper()
	note := func(step string, a answer) answer {
		lines = append(lines, step+": "+a.blurred(email))
		return a
	}
	for round := range 3 {
		b := at.browser()
		_, f := b.addressForm(screen)
		a := note("address", b.send(f.action, f.with("email", email)))
		if a.status != http.StatusSeeOther {
			continue
		}
		where := a.to
		a = note("code page", b.send(where, nil))
		p := page{browser: b, email: email, verify: a.form(at.t, "/verify")}
		status := "/verify/status?c=" + p.verify.fields.Get("c")
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline) && !strings.Contains(b.send(status, nil).body, `"sent"`); {
			time.Sleep(10 * time.Millisecond)
		}
		note("status", b.send(status, nil))
		note("no code", p.guess("12"))
		note("resend", p.resend())
		note("the address again", b.send(f.action, f.with("email", email)))
		for range 6 - round {
			note("guess", p.guess("000000"))
		}
		note("status", b.send(status, nil))
		note("code page again", b.send(where, nil))
		note("resend", p.resend())
	}
	return lines
}

var (
	sealed = regexp.MustCompile(`[0-9A-Za-z_-]{40,}`)
	clock  = regexp.MustCompile(`data-seconds="\d+"|\b\d:\d\d(:\d\d)?\b|"nextSendIn":\d+|\b[2-5]\d s\b`)
	moved  = regexp.MustCompile(`data-state="(queued|sent)"|<span>The mail (is on its way …|has been sent\.)</span>`) // a page tells it once it is 3 s old
	named  = regexp.MustCompile(`\b[0-9a-z]{16}\b`)
)

// blurred is an answer without what differs between two of the same: the address, sealed
// values, the request's name, and what changes while seconds pass.
func (a answer) blurred(email string) string {
	text := fmt.Sprintf("%d %s\n", a.status, a.to)
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		switch name {
		case "Date", "X-Request-Id", "Content-Length": // sealed times are a digit longer or shorter
			continue
		case "Retry-After":
			text += name + ": one\n"
			continue
		}
		text += fmt.Sprintf("%s: %q\n", name, a.header[name])
	}
	text += a.body
	for _, spelt := range []string{email, strings.ReplaceAll(email, "@", "%40"), strings.ReplaceAll(email, "@", "&#64;")} {
		text = strings.ReplaceAll(text, spelt, "ADDRESS")
	}
	text = sealed.ReplaceAllString(text, "SEALED")
	text = moved.ReplaceAllString(clock.ReplaceAllString(text, "CLOCK"), "QUEUED OR SENT")
	return named.ReplaceAllString(text, "NAME")
}

// difference shows the lines that two answers do not share.
func difference(got, want string) string {
	is, should := strings.Split(got, "\n"), strings.Split(want, "\n")
	var out []string
	for _, l := range is {
		if !slices.Contains(should, l) {
			out = append(out, "+ "+l)
		}
	}
	for _, l := range should {
		if !slices.Contains(is, l) {
			out = append(out, "- "+l)
		}
	}
	return is[0] + "\n" + strings.Join(out, "\n")
}
