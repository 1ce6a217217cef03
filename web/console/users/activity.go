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

// words are what kinds of entries about people are called.
var words = map[string]string{
	"user.signed_in":         shell.N("Signed in"),
	"user.registered":        shell.N("Made their account"),
	"user.recovered":         shell.N("Recovered the account"),
	"user.signed_out":        shell.N("Signed out"),
	"user.created":           shell.N("The account was created"),
	"user.imported":          shell.N("The account was imported"),
	"user.updated":           shell.N("The profile was changed"),
	"user.suspended":         shell.N("The account was suspended"),
	"user.reinstated":        shell.N("The account was reinstated"),
	"user.roles_changed":     shell.N("Roles were changed"),
	"session.revoked":        shell.N("A session was ended"),
	"grant.revoked":          shell.N("An app’s access was ended"),
	"challenge.disowned":     shell.N("Said that a code was not asked for by them"),
	"challenge.locked":       shell.N("Too many wrong codes"),
	"mute.lifted":            shell.N("Codes go to all browsers again"),
	"one_time_token.created": shell.N("A sign-in link was made"),
	"one_time_token.used":    shell.N("A sign-in link was used"),
	"one_time_token.revoked": shell.N("A sign-in link was taken back"),
	"grant.token_reused":     shell.N("A refresh token was used twice: the app’s access was ended"),
	"grant.code_replayed":    shell.N("A sign-in’s code was used twice: the app’s access was ended"),
	"console.signed_in":      shell.N("Signed in to the console"),
	"console.signed_out":     shell.N("Signed out of the console"),
	"timeline.viewed":        shell.N("Somebody looked up why they cannot sign in"),
	"operator.added":         shell.N("Was let into the console"),
	"operator.removed":       shell.N("Was taken out of the console"),
	"operator.role_changed":  shell.N("Got another role in the console"),
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
	out := entry{At: e.At, What: e.Kind, App: e.Client, IP: from.IP, Agent: from.Agent, Failed: e.Failed()}
	if word, ok := words[e.Kind]; ok {
		out.What = v.T(word)
	}
	if e.Client != "" {
		out.AppPath = shell.Path + string(shell.Applications) + "/" + url.PathEscape(e.Client)
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
