package attack_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Everybody asks for mail to one mailbox: from browsers and networks of their own, at all
// screens, at once, under all of its spellings, and again when it is time. What arrived is
// counted where it arrives.
func TestMailBombing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		at.people("adalove@example.com")
		for mailbox, most := range map[string]int{
			"adalove@example.com": 5, // known: what an address has in an hour
			"evalove@example.com": 4, // unknown: three codes, and once that there is no account
		} {
			spellings := []string{mailbox, strings.ToUpper(mailbox), mailbox[:1] + "." + mailbox[1:], strings.Join(strings.Split(mailbox[:7], ""), ".") + mailbox[7:]}
			names := slices.Sorted(maps.Keys(screens))
			asked := func(spelling func(i int) string) map[int]int {
				return atOnce(60, func(i int) int {
					p, a := at.browser().tryAt(names[i%3], spelling(i))
					if p != nil {
						p.resend() // at once, which is too early
						return http.StatusOK
					}
					if wait, _ := strconv.Atoi(a.header.Get("Retry-After")); a.status == http.StatusTooManyRequests && wait == 0 {
						t.Error("refused without a Retry-After")
					}
					return a.status
				})
			}
			first := asked(func(int) string { return mailbox })
			if first[http.StatusOK] != 5 || first[http.StatusTooManyRequests] != 55 {
				t.Errorf("60 ask for mail to %s: %v, want 5 and 55 refused", mailbox, first)
			}
			also := asked(func(i int) string {
				if i%2 == 0 {
					return fmt.Sprintf("%s+%d%s", mailbox[:7], i, mailbox[7:])
				}
				return spellings[i/2%len(spellings)]
			})
			if also[http.StatusTooManyRequests] != 60 {
				t.Errorf("60 more ask for it under other spellings: %v, want all refused", also)
			}
			at.drained()
			arrived := 0
			for to, n := range at.recipients() {
				if strings.HasSuffix(strings.ReplaceAll(to, ".", ""), strings.ReplaceAll(mailbox[1:], ".", "")) || strings.HasPrefix(to, mailbox[:7]+"+") {
					arrived += n
				}
			}
			t.Logf("120 asked for mail to %s: %d arrived", mailbox, arrived)
			if arrived > most || arrived == 0 {
				t.Errorf("%d mails arrived at %s, want 1 to %d", arrived, mailbox, most)
			}
		}
	}, "IDP_OTP_RESEND_WAIT=1m") // as in production: however slow the 60 are, another code is too early
}

// One network asks for codes for many addresses: thirty come for nothing. A proof is good for
// the form that it was asked of; waiting in the place of it lets one through at a time, however
// many wait.
func TestFlood(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		network := anywhere()
		type held struct {
			*browser
			form form
		}
		var mu sync.Mutex
		var waiting []held
		ask := func(i int) int {
			b := at.browserIn(network)
			_, f := b.addressForm("sign-in")
			a := b.send(f.action, f.with("email", fmt.Sprintf("flood%d@example.com", i)))
			if a.status == http.StatusTooManyRequests {
				mu.Lock()
				defer mu.Unlock()
				waiting = append(waiting, held{b, a.form(t, "/sign-in")})
			}
			return a.status
		}
		seen := atOnce(60, ask)
		if seen[http.StatusSeeOther] != 30 || seen[http.StatusTooManyRequests] != 30 {
			t.Fatalf("60 codes asked for in one network: %v, want 30 and 30 that are to prove something", seen)
		}
		early := atOnce(len(waiting), func(i int) int { return waiting[i].send(waiting[i].form.action, waiting[i].form.fields).status })
		if early[http.StatusTooManyRequests] != len(waiting) {
			t.Errorf("30 forms sent again at once: %v, want all refused", early)
		}
		if !long {
			return // half a minute is too long for each change
		}
		time.Sleep(31 * time.Second)
		late := atOnce(len(waiting), func(i int) int { return waiting[i].send(waiting[i].form.action, waiting[i].form.fields).status })
		if late[http.StatusSeeOther] != 1 || late[http.StatusTooManyRequests] != len(waiting)-1 {
			t.Errorf("30 forms that waited, sent at once: %v, want one that is let through", late)
		}
	})
}
