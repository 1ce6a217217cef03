package auditlog

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"idp/admin"
	"idp/store"
	"idp/store/address"
	"idp/web/console/shell"
)

// filter reads what is asked for. Nothing can fit if ok is false; what cannot be read is
// rejected in the form.
func (p *Pages) filter(v *shell.Visit, f *shell.Form) (q admin.LogQuery, ok bool, err error) {
	q.Kind, q.Client, q.Failed = v.Got("kind"), v.Got("app"), v.Got("failed") != ""
	if q.User, err = p.person(v, v.Got("who")); err != nil {
		if store.CodeOf(err) != store.NotFound {
			return q, false, err
		}
		f.Reject("who", v.T("Nobody has this address now. Entries about deleted accounts are found by the id."))
	}
	if q.Actor, err = p.actor(v, v.Got("by")); err != nil {
		if store.CodeOf(err) != store.NotFound {
			return q, false, err
		}
		f.Reject("by", v.T("Neither a person’s address or id, nor an application’s id, nor “command”."))
	}
	q.Since, q.Until = v.Days(f)
	return q, !f.IsWrong(), nil
}

// person gives the id for an address; anything else is taken as one.
func (p *Pages) person(v *shell.Visit, who string) (string, error) {
	if !strings.Contains(who, "@") {
		return who, nil
	}
	email, err := address.Parse(who)
	if err != nil {
		return "", &store.Error{Code: store.NotFound, Op: "find person", Err: err}
	}
	u, err := p.admin.UserByEmail(v.R.Context(), email)
	return u.ID, err
}

// actor gives an actor as entries name it.
func (p *Pages) actor(v *shell.Visit, by string) (string, error) {
	switch {
	case by == "" || by == "command" || strings.HasPrefix(by, "user:") || strings.HasPrefix(by, "client:"):
		return by, nil
	case !strings.Contains(by, "@"):
		_, err := p.admin.Client(v.R.Context(), by)
		if err == nil {
			return "client:" + by, nil
		}
		if store.CodeOf(err) != store.NotFound {
			return "", err
		}
		u, err := p.admin.User(v.R.Context(), by)
		return "user:" + u.ID, err
	}
	id, err := p.person(v, by)
	return "user:" + id, err
}

// A place in the list is MICROSECONDS.ID, behind b (what is before it) or a (after).
func placeOf(side string, e store.EventPlace) string {
	return side + strconv.FormatInt(e.At.UnixMicro(), 10) + "." + e.ID.String()
}

func readPlace(text string) (before, after store.EventPlace) {
	if len(text) < 2 {
		return
	}
	at, id, _ := strings.Cut(text[1:], ".")
	micro, err := strconv.ParseInt(at, 10, 64)
	key, err2 := store.ParseID(id)
	if err != nil || err2 != nil || micro <= 0 {
		return
	}
	place := store.EventPlace{At: time.UnixMicro(micro), ID: key}
	switch text[0] {
	case 'b':
		before = place
	case 'a':
		after = place
	}
	return
}

// maxApps is how many apps are offered in the filter; others are reached from their page.
const maxApps = 100

// apps are the apps as choices, with the one that is asked for.
func (p *Pages) apps(v *shell.Visit, chosen string) ([]shell.Option, error) {
	found, _, err := p.admin.Clients(v.R.Context(), store.ClientListing{Listing: store.Listing{Limit: maxApps}})
	out := []shell.Option{{Name: v.T("Any")}}
	for _, c := range found {
		out = append(out, shell.Option{Value: c.ID, Name: c.Name})
	}
	if chosen != "" && !slices.ContainsFunc(out, func(o shell.Option) bool { return o.Value == chosen }) {
		out = append(out, shell.Option{Value: chosen, Name: chosen})
	}
	return out, err
}
