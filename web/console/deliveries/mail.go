package deliveries

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"idp/admin"
	"idp/web/console/shell"
)

type mailView struct {
	shell.Frame
	Mail         row
	Means, Helps string
	Steps        []step
	Why, Others  string // pages about its address; "" if that cannot be told any more
	Suppressed   string // where it stands why the address takes no mail
}

// step is something that happened to a mail.
type step struct {
	Name, Detail string
	At           time.Time
	Bad          bool
}

// show is GET /console/deliveries/MAIL.
func (p *Pages) show(v *shell.Visit) error {
	d, err := p.admin.Delivery(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	s, taken := stateOf(d.State), v.T("Taken by the provider")
	if admin.Stayed(d) {
		s, taken = stayed, v.T("Kept in the development mailbox")
	}
	view := mailView{Frame: v.Frame(shell.Deliveries), Mail: rowOf(v, d), Means: v.T(s.means), Helps: v.T(s.helps)}
	if d.To != "" {
		view.Why = shell.Path + string(shell.Why) + "?email=" + url.QueryEscape(d.To)
		view.Others = root + "?to=" + url.QueryEscape(d.To)
		switch d.State {
		case "suppressed", "bounced", "complained", "failed":
			view.Suppressed = suppressed + "?q=" + url.QueryEscape(d.To)
		}
	}
	view.Steps = append(view.Steps, step{Name: v.T("Asked for, and queued"), At: d.Times.Created})
	for _, one := range []struct {
		name string
		at   *time.Time
		bad  bool
	}{
		{taken, d.Times.Sent, false},
		{v.T("Delayed"), d.Times.Delayed, true},
		{v.T("Delivered"), d.Times.Delivered, false},
		{v.T("Bounced"), d.Times.Bounced, true},
		{v.T("Called spam"), d.Times.Complained, true},
		{v.T("Rejected"), d.Times.Rejected, true},
	} {
		if one.at != nil {
			view.Steps = append(view.Steps, step{Name: one.name, At: *one.at, Bad: one.bad})
		}
	}
	slices.SortStableFunc(view.Steps, func(a, b step) int { return a.At.Compare(b.At) })
	return v.Show(http.StatusOK, p.set, "mail", &view)
}
