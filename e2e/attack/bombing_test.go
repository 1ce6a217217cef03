package attack_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
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
	})
}
