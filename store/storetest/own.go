package storetest

import (
	"testing"
	"time"

	"idp/store"
)

// A mail that waits, or was given up, for a reason of its own is delayed for its page, whatever
// becomes of it; for operators it is what it is. One that went all the same is sent.
func testOwnReasons(t *testing.T, f *fixture) {
	look := func(n store.NewChallenge, row, page store.MailState, delayed bool) {
		t.Helper()
		d := f.delivery(n.Mail.ID)
		st, err := f.db.ChallengeState(f.ctx(), n.ID, n.Browser)
		f.no(err)
		if d.State != row || st.Mail != page || d.DelayedAt.IsZero() == delayed {
			t.Errorf("the row is in state %d, its page is told %d, delayed at %s; want %d and %d", d.State, st.Mail, d.DelayedAt, row, page)
		}
	}
	settle := func(n store.NewChallenge, r store.Settled) {
		t.Helper()
		r.ID = n.Mail.ID
		f.no(f.db.SettleMail(f.ctx(), []store.Settled{r}))
	}
	begun := func() store.NewChallenge {
		n := f.begin("ada@example.com")
		f.begun(n)
		return n
	}

	others := begun()
	settle(others, store.Settled{State: store.MailQueued, Error: "away"})
	look(others, store.MailQueued, store.MailQueued, false)
	settle(others, store.Settled{State: store.MailFailed, Error: "no words"})
	look(others, store.MailFailed, store.MailFailed, false)

	failed := begun()
	settle(failed, store.Settled{State: store.MailFailed, Error: "full", Own: true})
	look(failed, store.MailFailed, store.MailDelayed, true)

	expired := begun()
	settle(expired, store.Settled{State: store.MailQueued, Error: "full", Own: true})
	look(expired, store.MailQueued, store.MailDelayed, true)
	since := f.delivery(expired.Mail.ID).DelayedAt
	f.db.AdvanceForTest(time.Second)
	settle(expired, store.Settled{State: store.MailQueued, Error: "still full", Own: true})
	if at := f.delivery(expired.Mail.ID).DelayedAt; !at.Equal(since) {
		t.Errorf("delayed since %s, then since %s", since, at)
	}
	settle(expired, store.Settled{State: store.MailQueued, Error: "away"})
	look(expired, store.MailQueued, store.MailDelayed, true)
	settle(expired, store.Settled{State: store.MailExpired, Error: "too late"})
	look(expired, store.MailExpired, store.MailDelayed, true)

	sent := begun()
	settle(sent, store.Settled{State: store.MailQueued, Error: "greylisted", Own: true})
	settle(sent, store.Settled{State: store.MailSent, Sender: "aws-ses-mail", Provider: "p1"})
	look(sent, store.MailSent, store.MailSent, false)
	f.no(f.db.RecordFeedback(f.ctx(), f.feedback(store.FeedbackDelay, "p1")))
	look(sent, store.MailDelayed, store.MailDelayed, true)
}
