package auditlog

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"idp/store"
	"idp/web/console/shell"
)

type entryView struct {
	shell.Frame
	Entry   row
	ID      string
	User    link // whose account
	App     link
	By      link // who did it
	Target  link // what it was done to
	Agent   string
	Request string
	Batch   int64
	Changes []change
	Facts   []field
}

// link is something that has a page, if Href is not "".
type link struct{ Name, Href, ID string }

// change is what a field was, and is.
type change struct{ Field, Before, After string }

// show is GET /console/audit-log/ENTRY.
func (p *Pages) show(v *shell.Visit) error {
	id, err := store.ParseID(v.Param("id"))
	if err != nil {
		return &store.Error{Code: store.NotFound, Op: "read log", Err: err}
	}
	e, err := p.admin.Log(v.R.Context(), id)
	if err != nil {
		return err
	}
	names := p.names(v)
	known := knownOf(e)
	view := entryView{Frame: v.Frame(shell.AuditLog), Entry: p.rowOf(v, e, names), ID: e.ID.String(), Agent: known.Agent, Request: e.Request, Batch: e.Batch,
		Changes: changesIn(e.Detail, e.Known), Facts: factsIn(e.Detail, e.Known), Target: targetOf(e.Target)}
	if e.User != "" {
		view.User = names.link("user:", e.User, shell.Users)
	}
	if e.Client != "" {
		view.App = names.link("client:", e.Client, shell.Applications)
	}
	switch kind, who, _ := strings.Cut(e.Actor, ":"); kind {
	case "user":
		view.By = names.link("user:", who, shell.Users)
	case "client":
		view.By = names.link("client:", who, shell.Applications)
	case "":
		view.By = view.User
	default:
		view.By = link{Name: names.actor(e.Actor)}
	}
	if names.err != nil {
		return names.err
	}
	return v.Show(http.StatusOK, p.set, "entry", &view)
}

// link leads to a person or an app, unless they are gone.
func (n *names) link(prefix, id string, entry shell.Entry) link {
	l := link{Name: n.actor(prefix + id), ID: id, Href: entry.At(id)}
	if n.gone[prefix+id] {
		l.Href = ""
	}
	return l
}

// targets are where what entries name is in the console.
var targets = map[string]shell.Entry{"role": shell.Roles, "resource": shell.Resources, "hook": shell.Webhooks, "mail": shell.Deliveries}

// targetOf leads to what was done something to. It may be gone, which its page says.
func targetOf(target string) link {
	kind, id, ok := strings.Cut(target, ":")
	if entry, known := targets[kind]; ok && known {
		return link{Name: target, ID: id, Href: entry.At(id)}
	}
	return link{Name: target}
}

// changesIn are before and after of an entry, with the personal part of them.
func changesIn(parts ...json.RawMessage) (out []change) {
	before, after := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for _, part := range parts {
		var told struct{ Before, After map[string]json.RawMessage }
		if json.Unmarshal(part, &told) != nil {
			continue
		}
		for k, value := range told.Before {
			before[k] = value
		}
		for k, value := range told.After {
			after[k] = value
		}
	}
	for k := range before {
		out = append(out, change{k, written(before[k]), written(after[k])})
	}
	for k := range after {
		if _, ok := before[k]; !ok {
			out = append(out, change{k, "", written(after[k])})
		}
	}
	slices.SortFunc(out, func(a, b change) int { return strings.Compare(a.Field, b.Field) })
	return out
}

// factsIn is what else an entry tells.
func factsIn(parts ...json.RawMessage) (out []field) {
	for _, part := range parts {
		var told map[string]json.RawMessage
		if json.Unmarshal(part, &told) != nil {
			continue
		}
		for k, value := range told {
			switch k {
			case "before", "after", "ip", "agent":
			default:
				out = append(out, field{k, written(value)})
			}
		}
	}
	slices.SortFunc(out, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// written is a value for people: texts as they are, lists of texts a line each, other things
// as JSON.
func written(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	var list []string
	if json.Unmarshal(value, &list) == nil {
		return strings.Join(list, "\n")
	}
	var out bytes.Buffer
	if json.Indent(&out, value, "", "  ") != nil {
		return string(value)
	}
	return out.String()
}
