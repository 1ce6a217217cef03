package email

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

type connectorsView struct {
	shell.Frame
	Tabs []shell.Tab
	Rows []row
	More bool // there were more mails than were counted
	Add  bool // there are kinds that are not set up
}

// row is a connector in the list.
type row struct {
	ID, Name, Address string
	Works             health
	Error             string // what it said last, where it does not work
	Refused           int    // recipients whose mail it refused one after the other; 0: not so many that it is told
	LastSuccess       time.Time
	Taken, Lost       int // mails of the last 24 hours
	Up, Down          bool
	Quota             *quota
}

// health is how a connector gets on, for people who do not think of circuits.
type health struct{ Kind, Text string }

// quota is what the provider's account may send in 24 hours.
type quota struct{ Sent, Day float64 }

// connectors is GET /email.
func (p *Pages) connectors(v *shell.Visit) error {
	states, more, err := p.admin.ConnectorStates(v.R.Context())
	if err != nil {
		return err
	}
	view := connectorsView{Frame: v.Frame(shell.Email), Tabs: tabs(v, false), More: more}
	for i, s := range states {
		r := p.row(v, s)
		r.Up, r.Down = i > 0, i < len(states)-1
		view.Rows = append(view.Rows, r)
	}
	view.Add = len(p.missing(states)) > 0
	return v.Show(http.StatusOK, p.set, "connectors", &view)
}

// missing are the kinds that are not set up.
func (p *Pages) missing(states []admin.ConnectorState) []admin.Factory {
	return slices.DeleteFunc(p.admin.Factories(), func(f admin.Factory) bool {
		return slices.ContainsFunc(states, func(s admin.ConnectorState) bool { return s.ID == f.ID })
	})
}

func (p *Pages) row(v *shell.Visit, s admin.ConnectorState) row {
	r := row{ID: s.ID, Name: p.kind(s.ID).Name, Address: s.Address, Works: healthOf(v, s)}
	for state, n := range s.Mails {
		switch state {
		case "sent", "delivered", "delayed":
			r.Taken += n
		case "failed", "bounced", "complained", "rejected":
			r.Lost += n
		}
	}
	if s.Problem != "" {
		r.Error = s.Problem
	}
	if h := s.Health; h != nil {
		r.LastSuccess = h.LastSuccess
		if refusals, refusing := h.Refusing(); refusing && r.Error == "" && h.State == "closed" {
			r.Refused, r.Error = refusals.Recipients, refusals.Words
		} else if r.Error == "" && (h.State != "closed" || unproven(s)) {
			r.Error = h.Latest.LastError
		}
		if h.Latest.Day > 0 {
			r.Quota = &quota{h.Latest.Sent, h.Latest.Day}
		}
	}
	return r
}

// unproven tells that a connector has taken no mail, neither since its servers run nor in the
// last 24 hours: that nothing is known against it does not mean that it works.
func unproven(s admin.ConnectorState) bool {
	return s.Health.LastSuccess.IsZero() && s.Mails["sent"]+s.Mails["delivered"]+s.Mails["delayed"] == 0
}

func healthOf(v *shell.Visit, s admin.ConnectorState) health {
	refusing := false
	if s.Health != nil {
		_, refusing = s.Health.Refusing()
	}
	switch h := s.Health; {
	case s.Problem != "":
		return health{"bad", v.T("Does not work")}
	case h == nil:
		return health{"", v.T("No report yet")}
	case h.Latest.Paused:
		return health{"bad", v.T("Paused by the provider")}
	case h.State == "open":
		return health{"bad", v.T("Failing")}
	case h.State == "half-open":
		return health{"warn", v.T("Being tried again")}
	case refusing || unproven(s) && h.Latest.LastError != "":
		return health{"warn", v.T("Took no mail lately")}
	case unproven(s) && !h.Latest.Sandbox:
		return health{"", v.T("No mail lately")}
	case h.Latest.Sandbox:
		return health{"warn", v.T("Works, but only in the sandbox")}
	case h.Latest.Nearly():
		return health{"warn", v.T("Works, daily quota nearly used up")}
	}
	return health{"good", v.T("Works")}
}

// order is POST /email/order: it moves a connector one place.
func (p *Pages) order(v *shell.Visit) error {
	all, err := p.admin.Connectors(v.R.Context())
	if err != nil {
		return err
	}
	var ids []string
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	i := slices.Index(ids, v.Form.Get("id"))
	if i < 0 {
		return &store.Error{Code: store.NotFound, Op: "order connectors"}
	}
	j := i + 1
	if v.Form.Get("to") == "up" {
		j = i - 1
	}
	if j < 0 || j >= len(ids) { // somebody else was faster, and it is at the end
		return v.Done(here, "")
	}
	ids[i], ids[j] = ids[j], ids[i]
	if err := p.admin.OrderConnectors(v.R.Context(), v.By, ids); err != nil {
		return err
	}
	return v.Done(here, v.T("%s is tried first now.", p.kind(ids[0]).Name))
}

type kindsView struct {
	shell.Frame
	Cards []card
}

// card is a kind of connector to choose.
type card struct{ Name, Text, Hint, Href string }

// kinds is GET /email/connectors.
func (p *Pages) kinds(v *shell.Visit) error {
	states, _, err := p.admin.ConnectorStates(v.R.Context())
	if err != nil {
		return err
	}
	view := kindsView{Frame: v.Frame(shell.Email)}
	for _, f := range p.missing(states) {
		view.Cards = append(view.Cards, card{f.Name, v.T(f.Description), v.T(whenToTake[f.ID]), allConnectors + "/" + url.PathEscape(f.ID)})
	}
	return v.Show(http.StatusOK, p.set, "kinds", &view)
}

// whenToTake is for whom a kind is, by its id.
var whenToTake = map[string]string{
	"aws-ses-mail": shell.N("You have an AWS account. Bounces and complaints are told back."),
	"smtp":         shell.N("You have a mail server, or a provider with an SMTP address: Postmark, Mailgun, Google Workspace and the like."),
	"http":         shell.N("Your provider has neither, and you can run a small program."),
	"inbox":        shell.N("You are developing: mails reach nobody."),
}

// kind is a kind of connector; one that this version does not offer has its id for a name.
func (p *Pages) kind(id string) admin.Factory {
	f, err := p.admin.Factory(id)
	if err != nil {
		return admin.Factory{ID: id, Name: id}
	}
	return f
}
