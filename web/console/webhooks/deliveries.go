package webhooks

import (
	"net/http"
	"time"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

// told is a delivery as people are told of it.
type told struct {
	store.HookDelivery
	Path, StateName, Kind string // Kind is that of its badge
	Waits                 bool
}

// The states, by their names in the filter.
var states = []struct {
	value, name, kind string
	state             store.HookState
}{
	{"delivered", shell.N("Delivered"), "good", store.HookDelivered},
	{"waiting", shell.N("Tried again soon"), "warn", store.HookWaiting},
	{"given-up", shell.N("Given up"), "bad", store.HookGivenUp},
}

func tell(v *shell.Visit, d store.HookDelivery) told {
	t := told{HookDelivery: d, Path: path(d.Hook, "/deliveries/"+d.ID.String()), Waits: d.State == store.HookWaiting}
	for _, s := range states {
		if s.state == d.State {
			t.StateName, t.Kind = v.T(s.name), s.kind
		}
	}
	t.Error = v.T(d.Error)
	return t
}

type deliveriesView struct {
	shell.Frame
	shell.Form
	head

	States, Events []shell.Option
	Deliveries     []told
	Pager          shell.Pager
	Narrowed       bool
}

// deliveries is GET /console/webhooks/ID/deliveries. It looks at the newest of the last 30
// days, which is as long as they are kept.
func (p *Pages) deliveries(v *shell.Visit) error {
	h, err := p.admin.Hook(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	head, err := p.headOf(v, h, "/deliveries", looked)
	if err != nil {
		return err
	}
	filter := store.HookLogFilter{Hook: h.ID, Event: v.Got("event"), Newest: looked}
	view := deliveriesView{Frame: v.Frame(shell.Webhooks), Form: shell.NewForm(v.Form, time.Time{}), head: head,
		States: []shell.Option{{Name: v.T("Any result")}}, Events: []shell.Option{{Name: v.T("Any event")}}}
	for _, s := range states {
		view.States = append(view.States, shell.Option{Value: s.value, Name: v.T(s.name)})
		if v.Got("state") == s.value {
			filter.State = s.state
		}
	}
	for _, name := range admin.HookEvents() {
		view.Events = append(view.Events, shell.Option{Value: name, Name: name})
	}
	n, l := v.Listing(perPage)
	found, total, err := p.admin.HookLog(v.R.Context(), filter, l.Skip, l.Limit, store.MaxCount+1)
	if err != nil {
		return err
	}
	for _, d := range found {
		view.Deliveries = append(view.Deliveries, tell(v, d))
	}
	view.Pager, view.Narrowed = v.Page(n, perPage, len(found), total), filter.Event != "" || filter.State != 0
	return v.Show(http.StatusOK, p.set, "deliveries", view)
}

type deliveryView struct {
	shell.Frame
	head
	Delivery told
}

// delivery is GET /console/webhooks/ID/deliveries/DELIVERY.
func (p *Pages) delivery(v *shell.Visit) error {
	h, err := p.admin.Hook(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	id, err := store.ParseID(v.Param("delivery"))
	if err != nil {
		return &store.Error{Code: store.NotFound, Op: "read delivery", Err: err}
	}
	d, err := p.admin.HookDelivery(v.R.Context(), h.ID, id)
	if err != nil {
		return err
	}
	head, err := p.headOf(v, h, "/deliveries", looked)
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, p.set, "delivery", deliveryView{v.Frame(shell.Webhooks), head, tell(v, d)})
}
