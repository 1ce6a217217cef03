package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"idp/store"
)

// Search is how people are found, with the names of Logto.
type Search struct {
	Any      []string `query:"search,explode" maxItems:"8" doc:"What any of the fields is like, upper or lower case; % stands for anything. ada% is found by an index; %ada% is answered as long as there are at most 10000 people"`
	Email    []string `query:"search.primaryEmail,explode" maxItems:"8" doc:"What the address is like"`
	Username []string `query:"search.username,explode" maxItems:"8"`
	Name     []string `query:"search.name,explode" maxItems:"8"`
	ID       []string `query:"search.id,explode" maxItems:"8"`

	Mode         string `query:"mode" enum:"like,exact" doc:"exact: % stands for itself"`
	ModeEmail    string `query:"mode.primaryEmail" enum:"like,exact"`
	ModeUsername string `query:"mode.username" enum:"like,exact"`
	ModeName     string `query:"mode.name" enum:"like,exact"`
	ModeID       string `query:"mode.id" enum:"like,exact"`
	Joint        string `query:"joint" enum:"or,and" doc:"and: all of it has to match; answered as long as there are at most 10000 people"`
}

// terms are what is searched, and the parameters that say so.
func (s Search) terms() (terms []store.UserTerm, query url.Values) {
	query = url.Values{}
	for _, f := range []struct {
		field store.UserField
		texts []string
		mode  string
	}{
		{store.AnyUserField, s.Any, s.Mode},
		{store.UserEmail, s.Email, s.ModeEmail},
		{store.UserUsername, s.Username, s.ModeUsername},
		{store.UserName, s.Name, s.ModeName},
		{store.UserID, s.ID, s.ModeID},
	} {
		suffix := ""
		if f.field != store.AnyUserField {
			suffix = "." + string(f.field)
		}
		for _, text := range f.texts {
			query.Add("search"+suffix, text)
			if text != "" {
				terms = append(terms, store.UserTerm{Field: f.field, Pattern: text, Exact: f.mode == "exact" || f.mode == "" && s.Mode == "exact"})
			}
		}
		if f.mode != "" {
			query.Set("mode"+suffix, f.mode)
		}
	}
	if s.Joint != "" {
		query.Set("joint", s.Joint)
	}
	return terms, query
}

func (a *API) listUsers(ctx context.Context, in *struct {
	Page
	Search
	After string `query:"after" maxLength:"100" doc:"Where the page before ended, from its Link header: the way beyond 10000, without a search"`
}) (*listed[user], error) {
	terms, query := in.terms()
	q := store.UserQuery{Terms: terms, All: in.Joint == "and", Offset: in.offset(), Limit: in.Size}
	if in.After != "" {
		if len(terms) > 0 || in.Page.Page > 1 {
			return nil, badAfter("goes without a search and without the number of a page")
		}
		var err error
		if q.After, err = parseCursor(in.After); err != nil {
			return nil, err
		}
	}
	page, err := a.Admin.Users(ctx, q)
	if err != nil {
		return nil, ofQuery(err)
	}
	items := make([]user, len(page.Users))
	for i, u := range page.Users {
		items[i] = showUser(u)
	}
	out := list("/users", query, in.Page, items, page.Total)
	if full := len(items) == in.Size; len(terms) == 0 && (in.After != "" || page.Total > maxCount && in.offset()+in.Size >= maxCount) {
		link := func(rel string, q url.Values) string {
			q.Set("page_size", strconv.Itoa(in.Size))
			return fmt.Sprintf(`<%s/users?%s>; rel="%s"`, Path, q.Encode(), rel)
		}
		links := []string{link("first", url.Values{"page": {"1"}})}
		if full {
			links = append(links, link("next", url.Values{"after": {cursor(page.Users[in.Size-1])}}))
		}
		out.Link = strings.Join(links, ", ")
	}
	return out, nil
}

// cursor names a place in the list of people.
func cursor(u store.User) string {
	return strconv.FormatInt(u.CreatedAt.UnixMicro(), 36) + "." + u.ID
}

func parseCursor(text string) (store.UserCursor, error) {
	at, id, found := strings.Cut(text, ".")
	n, err := strconv.ParseInt(at, 36, 64)
	c := store.UserCursor{CreatedAt: time.UnixMicro(n), ID: id}
	if !found || err != nil || n < 0 || id == "" || text != cursor(store.User{ID: id, CreatedAt: c.CreatedAt}) {
		return store.UserCursor{}, badAfter("is none that was given out here")
	}
	return c, nil
}

func badAfter(why string) error {
	return &problem{status: http.StatusBadRequest, Code: "guard.invalid_input", Message: "The parameter after " + why + ".", Data: []problemField{{"query.after", why}}}
}

// ofQuery names the parameter that an error is about.
func ofQuery(err error) error {
	var field *store.FieldError
	if store.CodeOf(err) != store.Invalid || !errors.As(err, &field) {
		return err
	}
	return &problem{status: http.StatusUnprocessableEntity, Code: "entity.invalid_input", Message: "What was asked does not fit: " + field.Error() + ".",
		Data: []problemField{{"query." + field.Field, field.Reason}}}
}
