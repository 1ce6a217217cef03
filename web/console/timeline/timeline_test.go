package timeline_test

import (
	"strings"
	"testing"
	"time"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

const (
	why = "/console/why"
	ada = "ada@example.com"
	of  = why + "?email=ada@example.com"
)

// wrong types a wrong code n times.
func wrong(f *webtest.Fixture, n int) *webtest.Person {
	f.Helper()
	p := f.Person()
	sent, err := f.Inbox.List(f.Context(), ada, 0)
	f.Must(err)
	code := p.ToCode("/sign-in", ada)
	right := f.Code(ada, len(sent)+1)
	for range n {
		code.Submit("/verify", "code", webtest.Wrong(right))
	}
	return p
}

// settled waits until all mails have left the queue: the inbox has a mail a moment before that
// is written down.
func settled(p *webtest.Person) *webtest.Shown {
	p.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		page := p.Get(of)
		if !strings.Contains(page.Body, "Still waiting to be sent") || time.Now().After(end) {
			return page
		}
	}
}

func TestWhatHappened(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Register(ada)
	wrong(f, 2)
	p := f.Operator(store.RoleViewer)
	p.Get(why).Want(200, "Enter an address").Lacks("What happened")
	settled(p)
	looked, err := f.Admin.LogsBefore(t.Context(), store.EventFilter{Kind: "timeline.viewed"}, store.EventPlace{}, 1000)
	f.Must(err)
	p.Get(of).Want(200, "Mails stay on this server", "Asked for a code to sign in", "Waiting for the code", "Wrong codes: 2, tries left: 3", "Mail queued", "Kept in the development mailbox: nobody outside was sent it", "Signed in", "Account since", webtest.OperatorEmail(store.RoleViewer))
	wrong(f, 5)
	p.Get(of).Want(200, "All tries were wrong", "Wrong codes: 5, tries left: 0")
	u, err := f.Admin.UserByEmail(t.Context(), ada)
	f.Must(err)
	looks, err := f.Admin.LogsBefore(t.Context(), store.EventFilter{User: u.ID, Kind: "timeline.viewed"}, store.EventPlace{}, 1000)
	if err != nil || len(looks) != len(looked)+2 || !strings.HasPrefix(looks[0].Actor, "user:") {
		t.Error(looks, err)
	}
	p.Get(why+"?email=bob@example.com").Want(200, "The address has no account.", "No code was asked for with this address")
	p.Get(why+"?email=%3Cscript%3E").Want(422, "Is no address").Has(`value="&lt;script&gt;"`)
}

// What stands in the way is told, and can be taken out of it.
func TestHelp(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Register(ada)
	p := f.Operator(store.RoleAdmin)
	f.Must(f.Admin.Suppress(t.Context(), audit.Command(), ada, "asked by phone <b>"))
	f.Suspend(ada)
	page := p.Get(of).Want(200, "The account is suspended", "The address takes no mail", "asked by phone <b>").Lacks("<b>")
	page.Submit(why+"/reinstate").Follow().Want(200, "The account is reinstated").Lacks("The account is suspended")
	page.Submit(why+"/lift-suppression").Follow().Want(200, "Mail is sent to the address again").Lacks("The address takes no mail")
	page.Submit(why + "/lift-suppression").Follow().Want(200) // a second click

	wrong(f, 0)
	f.Person().Get(f.NotMe(f.Mail(ada, 2))).Submit("/not-me")
	page = p.Get(of).Want(200, "Somebody said “this was not me”", "24 hours", "“This was not me”")
	page.Submit(why+"/lift-mute").Follow().Want(200, "any browser again").Lacks("24 hours")

	viewer := f.Operator(store.RoleViewer)
	token := viewer.Get(why).Form("/console/sign-out")
	for _, action := range []string{"/reinstate", "/lift-suppression", "/lift-mute"} {
		viewer.Post(why+action, token).Want(403, "Your role does not allow this")
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Register(ada)
	for range 4 {
		f.Person().ToCode("/sign-in", ada)
	}
	p := f.Operator(store.RoleAdmin)
	page := p.Get(of).Want(200, "Too many mails were asked for", "They get the next one in", "where the person has signed in before, it goes out at once")
	p.Get(page.Link("See the limits in force")).Want(200, "IDP_LIMIT_ACCOUNT_GUESSES")
}

func TestCeiling(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Register(ada)
	p := f.Operator(store.RoleViewer)
	p.Get(of).Want(200).Lacks("No more mail is sent")
	f.Must(f.DB.RaiseAlarm(f.Context(), store.Alarm{Name: store.AlarmMails}))
	p.Get(of).Want(200, "No more mail is sent", "IDP_LIMIT_MAILS", "See the limits in force")
}

func TestWithoutAccount(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	e, err := f.Admin.Experience(t.Context())
	f.Must(err)
	_, err = f.Admin.UpdateExperience(t.Context(), audit.Command(), e.UpdatedAt, func(e *store.Experience) error {
		e.Mode = store.ModeSignIn
		return nil
	})
	f.Must(err)
	page := p.Get(of).Want(200, "There is no account, and nobody can register")
	p.Get(page.Link("Create the account for them")).Has(`value="ada@example.com"`)
}
