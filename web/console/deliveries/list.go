package deliveries

import (
	"net/http"
	"slices"
	"time"

	"idp/admin"
	"idp/store"
	"idp/store/address"
	"idp/web/console/shell"
)

const perPage = 30

type listView struct {
	shell.Frame
	shell.Form
	Tabs       []shell.Tab
	Counts     []count
	More       bool // there were more mails in a day than are counted
	States     []shell.Option
	Usages     []shell.Option
	Connectors []shell.Option
	Mails      []row
	Pager      shell.Pager
	Narrowed   bool
	Further    string // where to look on, if not all of the page was found
}

// count is how many mails of a day are in a state.
type count struct {
	Name, Href string
	N          int
}

// row is a mail in the list.
type row struct {
	admin.Delivery
	Path, Usage, StateName, Kind string
}

func rowOf(v *shell.Visit, d admin.Delivery) row {
	s := stateOf(d.State)
	return row{d, pathOf(d.ID), usageName(v, d.UsageType), v.T(s.name), s.kind}
}

// list is GET /console/deliveries.
func (p *Pages) list(v *shell.Visit) error {
	f := shell.NewForm(v.Form, time.Time{})
	q := query(v, &f)
	view := listView{Frame: v.Frame(shell.Deliveries), Form: f, Tabs: tabs(v, false),
		States: []shell.Option{{Name: v.T("Any")}}, Usages: []shell.Option{{Name: v.T("Any")}}, Connectors: []shell.Option{{Name: v.T("Any")}}}
	for _, name := range []string{"to", "state", "usage", "connector", "since", "until"} {
		view.Narrowed = view.Narrowed || v.Got(name) != ""
	}
	counts, more, err := p.admin.MailsOfDay(v.R.Context())
	if err != nil {
		return err
	}
	view.More = more
	for _, s := range states {
		view.States = append(view.States, shell.Option{Value: s.value, Name: v.T(s.name)})
		if counts[s.value] > 0 {
			view.Counts = append(view.Counts, count{v.T(s.name), root + "?state=" + s.value, counts[s.value]})
		}
	}
	for _, u := range usages {
		view.Usages = append(view.Usages, shell.Option{Value: string(u.usage), Name: v.T(u.name)})
	}
	connectors, err := p.admin.Connectors(v.R.Context())
	if err != nil {
		return err
	}
	for _, c := range connectors {
		view.Connectors = append(view.Connectors, shell.Option{Value: c.ID, Name: c.ID})
	}
	if len(f.Errors) > 0 {
		return v.Show(http.StatusUnprocessableEntity, p.set, "list", &view)
	}
	found, further, err := p.admin.LookAtDeliveries(v.R.Context(), q)
	if err != nil {
		return err
	}
	for _, d := range found {
		view.Mails = append(view.Mails, rowOf(v, d))
	}
	view.Pager = v.Turn("before", "", further)
	if further != "" && len(found) < perPage {
		view.Further, view.Pager.After = view.Pager.After, ""
	}
	return v.Show(http.StatusOK, p.set, "list", &view)
}

// query reads what is asked for; what cannot be read is rejected in the form.
func query(v *shell.Visit, f *shell.Form) admin.DeliveryQuery {
	q := admin.DeliveryQuery{Usage: store.Usage(v.Got("usage")), Connector: v.Got("connector"), Limit: perPage}
	if s := v.Got("state"); slices.Contains(admin.MailStates(), s) {
		q.State = s
	}
	if before := v.Got("before"); before != "" {
		if _, err := store.ParseID(before); err == nil {
			q.Before = before
		}
	}
	var err error
	if to := v.Got("to"); to != "" {
		if q.To, err = address.Parse(to); err != nil {
			f.Reject("to", v.T("Enter the whole address: only its fingerprint is searched."))
		}
	}
	q.Since, q.Until = v.Days(f)
	return q
}
