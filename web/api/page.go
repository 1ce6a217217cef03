package api

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// maxCount is how far a list is counted: beyond it the total says that there are more.
const maxCount = 10_000

// Page is the part of a list that is asked for, as Logto's clients do.
type Page struct {
	Page int `query:"page" default:"1" minimum:"1" maximum:"10000" doc:"Number of the page"`
	Size int `query:"page_size" default:"20" minimum:"1" maximum:"100" doc:"Items on a page"`
}

func (p Page) offset() int { return (p.Page - 1) * p.Size }

// listed is an answer with a page of a list. Total-Number is the number of items, or 10001
// if there are more.
type listed[T any] struct {
	Total  string `header:"Total-Number" doc:"Number of items in all; 10001 if there are more than 10000"`
	Capped string `header:"Total-Number-Is-Capped" doc:"true if there are more than 10000"`
	Link   string `header:"Link" doc:"first, prev, next and last page (RFC 8288)"`
	Body   []T
}

// list makes the answer. total is counted up to one more than maxCount; query is that of the
// request, less the page.
func list[T any](path string, query url.Values, p Page, items []T, total int) *listed[T] {
	if items == nil {
		items = []T{}
	}
	out := &listed[T]{Total: strconv.Itoa(total), Body: items}
	if total > maxCount {
		out.Total, out.Capped = strconv.Itoa(maxCount+1), "true"
	}
	last := max(1, (min(total, maxCount)+p.Size-1)/p.Size)
	var links []string
	add := func(rel string, n int) {
		q := url.Values{}
		for k, v := range query {
			q[k] = v
		}
		q.Set("page", strconv.Itoa(n))
		q.Set("page_size", strconv.Itoa(p.Size))
		links = append(links, fmt.Sprintf(`<%s%s?%s>; rel="%s"`, Path, path, q.Encode(), rel))
	}
	add("first", 1)
	if p.Page > 1 {
		add("prev", min(p.Page-1, last))
	}
	if p.Page < last {
		add("next", p.Page+1)
	}
	add("last", last)
	out.Link = strings.Join(links, ", ")
	return out
}
