package start

import (
	"embed"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/admin"
	"idp/mailer/inbox"
	"idp/store"
	"idp/web/console/shell"
)

//go:embed pages
var files embed.FS

// Pages is the page.
type Pages struct {
	shell *shell.Shell
	admin *admin.Service
	set   *shell.Set
}

// New makes it.
func New(s *shell.Shell, a *admin.Service) *Pages { return &Pages{s, a, s.Load(files)} }

// Mount adds the route.
func (p *Pages) Mount(r chi.Router) { p.shell.Get(r, "/", p.show) }

// step is something to do.
type step struct {
	Name, Text   string
	Href, Button string
	Done         bool
	Said         string // of what is done: which one
}

type view struct {
	shell.Frame
	Alarms []alarm
	Steps  []step
	Left   int
	figures
}

// figures is how the instance gets on. Each is counted so far and no further.
type figures struct {
	People, Day, Week             int
	MorePeople, MoreDay, MoreWeek bool
	Failed                        int // mails of the last day
}

// alarm is one that is on.
type alarm struct {
	Name, Text   string
	Since        time.Time
	Href, Button string
}

func (p *Pages) alarms(v *shell.Visit) (out []alarm, err error) {
	on, err := p.admin.Alarms(v.R.Context())
	for _, a := range on {
		switch a.Name {
		case store.AlarmMails:
			out = append(out, alarm{
				v.T("No more mail is sent"), v.T("As many mails have gone out as IDP_LIMIT_MAILS allows. Nobody but operators can ask for codes until there is room again, and mails that wait go out then or not at all. Is somebody flooding the sign-in? If not, raise the limit."),
				a.Raised, "/console/deliveries", v.T("See deliveries"),
			})
		case store.AlarmGuesses:
			out = append(out, alarm{
				v.T("Codes are being guessed at"), v.T("Many wrong codes came in, on many addresses. New codes have 8 digits until that ends. There is nothing that you have to do."),
				a.Raised, "/console/audit-log?kind=guess_alarm.raised", v.T("See the audit log"),
			})
		}
	}
	return out, err
}

func (p *Pages) show(v *shell.Visit) error {
	data := view{Frame: v.Frame(shell.Start)}
	var err error
	if data.Alarms, err = p.alarms(v); err != nil {
		return err
	}
	for _, look := range []func(*shell.Visit) (step, error){p.mail, p.arrival, p.application, p.signIn, p.colleague} {
		s, err := look(v)
		if err != nil {
			return err
		}
		data.Steps = append(data.Steps, s)
		if !s.Done {
			data.Left++
		}
	}
	if data.figures, err = p.figures(v); err != nil {
		return err
	}
	return v.Show(http.StatusOK, p.set, "start", &data)
}

// mail is done when mails leave the house.
func (p *Pages) mail(v *shell.Visit) (step, error) {
	s := step{Name: v.T("Set up email"), Text: v.T("Codes reach people by mail. Connect Amazon SES or an SMTP server, and send yourself a test before you save."), Href: "/console/email", Button: v.T("Set up email")}
	found, err := p.admin.Connectors(v.R.Context())
	for _, c := range found {
		switch {
		case c.ID == inbox.ID:
			s.Text = v.T("For now mails stay on this server, in the development mailbox. Connect Amazon SES or an SMTP server to reach people.")
		case c.Problem == "" && !s.Done:
			s.Done, s.Said = true, c.Address
		}
	}
	return s, err
}

// arrival is done when a mail has been handed over, a test too.
func (p *Pages) arrival(v *shell.Visit) (step, error) {
	s := step{Name: v.T("See a mail arrive"), Text: v.T("Send a test, and find it under Deliveries. There you see of every mail what became of it."), Href: "/console/deliveries", Button: v.T("See deliveries")}
	for _, state := range []string{"delivered", "sent"} {
		found, err := p.admin.Deliveries(v.R.Context(), admin.DeliveryQuery{State: state, Limit: 1})
		if err != nil {
			return s, err
		}
		s.Done = s.Done || len(found) > 0
	}
	return s, nil
}

func (p *Pages) application(v *shell.Visit) (step, error) {
	s := step{Name: v.T("Create your first application"), Text: v.T("Choose your framework: you get a client ID, a secret and code to paste."), Href: "/console/applications/new", Button: v.T("Create application")}
	found, _, err := p.admin.Clients(v.R.Context(), store.ClientListing{Listing: store.Listing{Limit: 1}})
	if len(found) > 0 {
		s.Done, s.Said = true, found[0].Title()
	}
	return s, err
}

// lookedAt is how many of the newest sign-ins are looked through for one to an app.
const lookedAt = 20

func (p *Pages) signIn(v *shell.Visit) (step, error) {
	s := step{Name: v.T("Sign in to it"), Text: v.T("Start your app and sign in with your own address. If it does not work, “Why can’t they sign in?” says why."), Href: "/console/why", Button: v.T("Find out why")}
	for _, kind := range []string{"user.signed_in", "user.registered"} {
		events, err := p.admin.LogsBefore(v.R.Context(), store.EventFilter{Kind: kind}, store.EventPlace{}, lookedAt)
		if err != nil {
			return s, err
		}
		for _, e := range events {
			s.Done = s.Done || e.Client != ""
		}
	}
	return s, nil
}

func (p *Pages) colleague(v *shell.Visit) (step, error) {
	s := step{Name: v.T("Let a second person in"), Text: v.T("Somebody else should be able to help when you cannot: make them an owner, or an admin."), Href: "/console/settings", Button: v.T("Add a person")}
	if v.May(store.RoleOwner) {
		s.Href += "/people/new"
	}
	found, err := p.admin.Operators(v.R.Context())
	s.Done = len(found) > 1
	return s, err
}

func (p *Pages) figures(v *shell.Visit) (f figures, err error) {
	ctx := v.R.Context()
	people, err := p.admin.Users(ctx, store.UserQuery{Limit: 1})
	if err != nil {
		return f, err
	}
	f.People, f.MorePeople = capped(people.Total, store.MaxCount)
	for _, since := range []struct {
		period time.Duration
		n      *int
		more   *bool
	}{{24 * time.Hour, &f.Day, &f.MoreDay}, {7 * 24 * time.Hour, &f.Week, &f.MoreWeek}} {
		_, total, err := p.admin.Logs(ctx, store.EventFilter{Kind: "user.signed_in", Since: p.shell.Store.Now().Add(-since.period)}, 0, 1)
		if err != nil {
			return f, err
		}
		*since.n, *since.more = capped(total, admin.LogReach)
	}
	states, _, err := p.admin.ConnectorStates(ctx)
	for _, s := range states {
		f.Failed += s.Mails["failed"] + s.Mails["bounced"]
	}
	return f, err
}

func capped(n, most int) (int, bool) { return min(n, most), n > most }
