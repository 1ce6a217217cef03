package shell

import (
	"net/url"
	"strconv"

	"idp/store"
)

// maxPage is how far lists go by pages; a search finds what is further down.
const maxPage = 500

// Listing is the part of a list that a page asks for: q is what is searched, page counts
// from 1.
func (v *Visit) Listing(size int) (n int, l store.Listing) {
	n, err := strconv.Atoi(v.Form.Get("page"))
	if err != nil || n < 1 {
		n = 1
	}
	n = min(n, maxPage)
	return n, store.Listing{Search: v.Got("q"), Skip: (n - 1) * size, Limit: size}
}

// Pager leads to the pages before and after. Addresses are "" where there is none.
type Pager struct {
	Before, After   string
	From, To, Total int
	More            bool // there are more than Total
	Search          string
	First           bool // nothing was asked for in particular, so an empty list is really empty
}

// Page makes the pager of page n of a list, of which shown are on it and total are in all;
// what else is in the query goes along.
func (v *Visit) Page(n, size, shown, total int) Pager {
	p := Pager{From: (n-1)*size + 1, To: (n-1)*size + shown, Total: min(total, store.MaxCount), More: total > store.MaxCount, Search: v.Got("q")}
	p.First = n == 1 && !v.narrowed()
	if shown == 0 {
		p.From = 0
	}
	if n > 1 {
		p.Before = v.with("page", strconv.Itoa(n-1))
	}
	if p.To < total && n < maxPage {
		p.After = v.with("page", strconv.Itoa(n+1))
	}
	return p
}

// Turn makes the pager of a list without numbers: before and after name places in it, as
// values of the field at; "" where there is no such page.
func (v *Visit) Turn(at, before, after string) Pager {
	p := Pager{Search: v.Got("q"), First: !v.Form.Has(at) && !v.narrowed()}
	if before != "" {
		p.Before = v.with(at, before)
	}
	if after != "" {
		p.After = v.with(at, after)
	}
	return p
}

// narrowed tells whether the list is searched or filtered.
func (v *Visit) narrowed() bool {
	for name, values := range v.Form {
		if name != "page" && name != "lang" && len(values) > 0 && values[0] != "" {
			return true
		}
	}
	return false
}

// with is the address of this page with another value of one field.
func (v *Visit) with(name, value string) string {
	query := url.Values{}
	for k, all := range v.Form {
		if k != "lang" {
			query[k] = all
		}
	}
	query.Set(name, value)
	return v.R.URL.Path + "?" + query.Encode()
}
