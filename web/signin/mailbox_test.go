package signin_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/mailer"
	"idp/store"
	"idp/web/webtest"
)

// A mailbox whose server does not take the mail says nothing of whether it has an account. Of
// an address without one the last mails are decoys, which no server refuses.
func TestRefusedMailsTellOfNoAccount(t *testing.T) {
	t.Parallel()
	const known, unknown = "full@known.example", "full@unknown.example"
	for name, why := range map[string]mailer.SendError{
		"mailbox full":         {Class: mailer.Rejected},
		"mailbox full for now": {Class: mailer.Temporary, Recipient: true},
		"relaying denied":      {Class: mailer.Misconfigured, Recipient: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := webtest.New(t)
			f.Register(known)
			f.DB.AdvanceForTest(25 * time.Hour)
			why.Err = errors.New("not this one")
			f.Mails.Refuse(func(to string) error {
				if strings.HasPrefix(to, "full@") {
					return &why
				}
				return nil
			})
			told := func(email string) (words []string) {
				for _, screen := range []string{"/sign-in", "/sign-in", "/recover", "/recover", "/sign-in"} {
					first := map[string]string{"/sign-in": "sign_in", "/recover": "reset_password"}[screen]
					page := f.Person().Get(webtest.Authorize("first_screen", first)).Submit(screen, "email", email).Follow().Want(200, email)
					got := word(t, page)
					for end := time.Now().Add(15 * time.Second); got == "queued" && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
						got = word(t, page)
					}
					words = append(words, got)
				}
				return words
			}
			want := []string{"sent", "sent", "sent", "sent", "sent"}
			for _, email := range []string{known, unknown} {
				if got := told(email); !slices.Equal(got, want) {
					t.Errorf("the pages of %s are told %v", email, got)
				}
			}
			withheld, err := f.DB.Deliveries(t.Context(), store.DeliveryFilter{Withheld: true, Limit: 10})
			f.Must(err)
			if len(withheld) == 0 {
				t.Error("there was no decoy")
			}
			f.DB.AdvanceForTest(time.Minute)
			page := f.Person().ToCode("/register", "ada@example.com")
			f.Code("ada@example.com", 1) // others get theirs
			page.Want(200, "the mailbox not full?")
		})
	}
}
