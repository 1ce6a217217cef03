package signin_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"idp/store"
	"idp/web/webtest"
)

const bounced = "Mail to this address does not arrive: ada@example.com refuses it."

// bounce has the newest mail bounce, once it was sent.
func bounce(f *webtest.Fixture, permanent bool) {
	f.Helper()
	var mail store.Delivery
	for end := time.Now().Add(15 * time.Second); mail.Provider == ""; time.Sleep(10 * time.Millisecond) {
		found, err := f.DB.Deliveries(f.Context(), store.DeliveryFilter{Limit: 1})
		f.Must(err)
		if len(found) == 1 && found[0].State == store.MailSent {
			mail = found[0]
		} else if time.Now().After(end) {
			f.Fatal("no mail was sent")
		}
	}
	f.Must(f.DB.RecordFeedback(f.Context(), store.Feedback{Notification: store.HashOf([]byte(mail.Provider)), Until: f.DB.Now().Add(time.Hour),
		Provider: mail.Provider, Sender: mail.Sender, Kind: store.FeedbackBounce, Permanent: permanent, At: f.DB.Now(), Detail: "no such mailbox"}))
}

func word(t *testing.T, page *webtest.Shown) string {
	t.Helper()
	var st struct{ Mail string }
	if err := json.Unmarshal([]byte(page.Get("/verify/status?c="+page.Form("/verify").Get("c")).Want(200).Body), &st); err != nil {
		t.Fatal(err)
	}
	return st.Mail
}

func TestBounceIsShown(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	page := p.ToCode("/register", "ada@example.com")
	reload := "/verify?" + page.Form("/verify").Encode()
	f.Code("ada@example.com", 1)
	bounce(f, true)
	if got := word(t, page); got != "bounced" {
		t.Errorf("the script is told %q", got)
	}
	f.DB.AdvanceForTest(5 * time.Second)
	if shown := p.Get(reload).Want(200, bounced, "the people who run Bookstore"); !strings.Contains(shown.Body, `data-state="bounced"`) || strings.Contains(shown.Body, "We are emailing") {
		t.Error(shown.Body)
	}
	p.Headers.Set("Accept-Language", "ja")
	p.Get(reload).Want(200, "届きません")
	p.Headers.Del("Accept-Language")

	// The next one is not even tried, and its page says so at once: of the address of
	// nobody like of any other.
	next := f.Person().ToCode("/sign-in", "ada@example.com")
	if !strings.Contains(next.Text(), bounced) || word(t, next) != "bounced" {
		t.Error(next.Text())
	}

	// Lifted.
	list, err := f.DB.Suppressions(t.Context(), store.SuppressionFilter{Limit: 1})
	f.Must(err)
	f.Must(f.DB.Lift(t.Context(), []store.Hash{list[0].Address}))
	again := f.Person().ToCode("/sign-in", "ada@example.com")
	if strings.Contains(again.Body, `data-state="bounced"`) {
		t.Error("still refused")
	}
	f.Code("ada@example.com", 2)
}

// A bounce that may pass says nothing: a decoy cannot follow it.
func TestSoftBounceIsNotShown(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	page := f.Person().ToCode("/register", "ada@example.com")
	f.Code("ada@example.com", 1)
	bounce(f, false)
	if got := word(t, page); got != "sent" {
		t.Errorf("the script is told %q", got)
	}
	f.DB.AdvanceForTest(5 * time.Second)
	page.Get("/verify?"+page.Form("/verify").Encode()).Want(200, "The mail has been sent.")
}

// Where the database is away, the code page comes again without news.
func TestCodePageWithoutDatabase(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	page := f.Person().ToCode("/register", "ada@example.com")
	f.DB.AdvanceForTest(5 * time.Second)
	f.Outage.On.Store(true)
	page.Get("/verify?"+page.Form("/verify").Encode()).Want(200, "The mail is on its way")
}
