package api

import (
	"net/url"
	"strings"

	"idp/store"
)

// Sought is what a list is searched for. Logto's clients put % around it.
type Sought struct {
	Search string `query:"search" maxLength:"128" doc:"Part of the name; signs of percent around it change nothing"`
}

func (s Sought) listing(p Page) store.Listing {
	return store.Listing{Search: strings.Trim(s.Search, "%"), Skip: p.offset(), Limit: p.Size}
}

// values is the part of the query that leads to the other pages.
func (s Sought) values() url.Values {
	query := url.Values{}
	if s.Search != "" {
		query.Set("search", s.Search)
	}
	return query
}
