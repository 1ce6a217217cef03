package auditlog

import (
	"cmp"
	"encoding/json"
	"net/http"
	"time"

	"idp/audit"
	"idp/store"
	"idp/web/console/shell"
	"idp/web/page"
)

const perPage = 30

type listView struct {
	shell.Frame
	shell.Form
	Tabs    []shell.Tab
	Kinds   []shell.Option
	Apps    []shell.Option
	Entries []row
	Pager   shell.Pager
	Query   []field // the filter again, for the export
}

type field struct{ Name, Value string }

// row is an entry in the list.
type row struct {
	Path, Title, Kind string
	At                time.Time
	Who, By, From     string // whose account, who did it, the network address
	Failed, Erased    bool
}

// asked are the fields of the filter.
var asked = []string{"kind", "who", "app", "by", "since", "until", "failed"}

// list is GET /console/audit-log.
func (p *Pages) list(v *shell.Visit) error {
	f := shell.NewForm(v.Form, time.Time{})
	q, ok, err := p.filter(v, &f)
	if err != nil {
		return err
	}
	view := listView{Frame: v.Frame(shell.AuditLog), Form: f, Tabs: tabs(v, false), Kinds: options(v)}
	if view.Apps, err = p.apps(v, q.Client); err != nil {
		return err
	}
	for _, name := range asked {
		if value := v.Got(name); value != "" {
			view.Query = append(view.Query, field{name, value})
		}
	}
	if !ok {
		return v.Show(http.StatusUnprocessableEntity, p.set, "list", &view)
	}
	before, after := readPlace(v.Got("at"))
	found, err := p.admin.FindLogs(v.R.Context(), q, before, after, perPage+1)
	if err != nil {
		return err
	}
	newer, older := turn(&found, before, after)
	view.Pager = v.Turn("at", newer, older)
	names := p.names(v)
	for _, e := range found {
		view.Entries = append(view.Entries, p.rowOf(v, e, names))
	}
	if err := names.err; err != nil {
		return err
	}
	return v.Show(http.StatusOK, p.set, "list", &view)
}

// turn cuts what was read to a page, and gives the places of the pages beside it. One more
// entry than a page has was asked for, in the direction that was gone.
func turn(found *[]audit.Opened, before, after store.EventPlace) (newer, older string) {
	all := *found
	more := len(all) > perPage
	forward := after != store.EventPlace{}
	if more && forward {
		all = all[len(all)-perPage:]
	} else if more {
		all = all[:perPage]
	}
	*found = all
	if len(all) == 0 {
		return "", ""
	}
	if forward && more || !forward && before != (store.EventPlace{}) {
		newer = placeOf("a", all[0].Place())
	}
	if forward || more {
		older = placeOf("b", all[len(all)-1].Place())
	}
	return newer, older
}

func (p *Pages) rowOf(v *shell.Visit, e audit.Opened, names *names) row {
	r := row{Path: root + "/" + e.ID.String(), Kind: e.Kind, At: e.At, Failed: e.Failed(), Erased: e.Erased()}
	app := ""
	if e.Client != "" {
		app = names.app(e.Client)
	}
	r.Title = titleOf(v, e.Event, app)
	known := knownOf(e)
	r.From = known.IP
	r.Who = cmp.Or(known.Email, known.To)
	if e.User != "" {
		r.Who = names.person(e.User)
	}
	if e.Actor != "" && e.Actor != "user:"+e.User {
		r.By = names.actor(e.Actor)
	}
	return r
}

// known is what is personal of most entries.
type known struct {
	IP    string `json:"ip"`
	Agent string `json:"agent"`
	Email string `json:"email"`
	To    string `json:"to"`
}

func knownOf(e audit.Opened) (k known) {
	_ = json.Unmarshal(e.Known, &k) // without anything there is none
	return k
}

// names finds what things are called, each once. What is gone is called by its id.
type names struct {
	pages *Pages
	visit *shell.Visit
	found map[string]string
	gone  map[string]bool
	err   error
}

func (p *Pages) names(v *shell.Visit) *names {
	return &names{pages: p, visit: v, found: map[string]string{}, gone: map[string]bool{}}
}

func (n *names) find(key, id string, read func() (string, error)) string {
	if name, ok := n.found[key]; ok {
		return name
	}
	name, err := "", n.err
	if err == nil {
		name, err = read()
	}
	switch {
	case store.CodeOf(err) == store.NotFound:
		n.gone[key] = true
	case err != nil:
		n.err = err
	}
	n.found[key] = cmp.Or(name, id)
	return n.found[key]
}

func (n *names) app(id string) string {
	return n.find("client:"+id, id, func() (string, error) {
		c, err := n.pages.admin.Client(n.visit.R.Context(), id)
		return c.Name, err
	})
}

func (n *names) person(id string) string {
	return n.find("user:"+id, id, func() (string, error) {
		u, err := n.pages.admin.User(n.visit.R.Context(), id)
		return page.Address(u.Email), err
	})
}

func (n *names) actor(actor string) string {
	switch {
	case actor == "command":
		return n.visit.T("the command line")
	case len(actor) > len("user:") && actor[:len("user:")] == "user:":
		return n.person(actor[len("user:"):])
	case len(actor) > len("client:") && actor[:len("client:")] == "client:":
		return n.app(actor[len("client:"):])
	}
	return actor
}
