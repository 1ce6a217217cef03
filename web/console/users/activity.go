package users

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"idp/audit"
	"idp/store"
	"idp/web/console/shell"
)

// shown is how many entries are on a page.
const shown = 30

type activityView struct {
	shell.Frame
	head
	Entries []entry
	Pager   shell.Pager
	Log     string // where all of it is
}

// entry is one of the audit log, in words.
type entry struct {
	At                 time.Time
	What, Who, App, IP string
	Agent, AppPath     string
	Failed             bool
}

// activity is GET /console/users/ID/activity.
func (p *Pages) activity(v *shell.Visit) error {
	u, err := p.of(v)
	if err != nil {
		return err
	}
	before, err := placeOf(v.Got("before"))
	if err != nil {
		return err
	}
	found, err := p.admin.LogsBefore(v.R.Context(), store.EventFilter{User: u.ID}, before, shown+1)
	if err != nil {
		return err
	}
	view := activityView{Frame: v.Frame(shell.Users), head: headOf(v, u, "/activity")}
	view.Log = shell.Path + string(shell.AuditLog) + "?" + url.Values{"who": {u.ID}}.Encode()
	more := ""
	if len(found) > shown {
		found = found[:shown]
		last := found[shown-1]
		more = strconv.FormatInt(last.At.UnixMicro(), 10) + "." + last.ID.String()
	}
	view.Pager = v.Turn("before", "", more)
	for _, e := range found {
		view.Entries = append(view.Entries, entryOf(v, e))
	}
	return v.Show(http.StatusOK, p.set, "activity", &view)
}

// placeOf reads a place in the log from the address of a page; "" is its end. The error is
// [store.NotFound].
func placeOf(text string) (place store.EventPlace, err error) {
	if text == "" {
		return place, nil
	}
	at, id, _ := strings.Cut(text, ".")
	micros, err := strconv.ParseInt(at, 10, 64)
	if err == nil {
		place.ID, err = store.ParseID(id)
	}
	if err != nil {
		return place, &store.Error{Code: store.NotFound, Op: "find page of activity", Err: err}
	}
	place.At = time.UnixMicro(micros)
	return place, nil
}

func entryOf(v *shell.Visit, e audit.Opened) entry {
	var from struct{ IP, Agent string }
	_ = json.Unmarshal(e.Known, &from) // nil where nothing can be read
	out := entry{At: e.At, What: v.EventName(e.Kind, ""), App: e.Client, IP: from.IP, Agent: from.Agent, Failed: e.Failed()}
	if e.Client != "" {
		out.AppPath = shell.Applications.At(e.Client)
	}
	switch who, id, _ := strings.Cut(e.Actor, ":"); {
	case e.Actor == "" || e.Actor == "user:"+e.User:
		out.Who = v.T("Themselves")
	case who == "user":
		out.Who = v.T("An operator (%s)", id)
	case who == "client":
		out.Who = v.T("A program (%s)", id)
	default:
		out.Who = cmp.Or(map[string]string{"command": v.T("The command line")}[e.Actor], e.Actor)
	}
	return out
}
