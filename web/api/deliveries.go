package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"idp/admin"
	"idp/store"
)

// Further is the part of a list that is asked for by where the page before ended: of lists
// that are not counted.
type Further struct {
	Before string `query:"before" maxLength:"100" doc:"Where the page before ended, from its Link header"`
	Size   int    `query:"page_size" default:"20" minimum:"1" maximum:"100" doc:"Items on a page"`
}

// followed is an answer with a page of such a list.
type followed[T any] struct {
	Link string `header:"Link" doc:"next page, if there may be one (RFC 8288)"`
	Body []T
}

// follow makes the answer. query is that of the request, less the page; ended names the
// place behind an item.
func follow[T any](path string, query url.Values, f Further, items []T, ended func(T) string) *followed[T] {
	out := &followed[T]{Body: items}
	if len(items) == f.Size {
		query.Set("before", ended(items[len(items)-1]))
		query.Set("page_size", strconv.Itoa(f.Size))
		out.Link = "<" + Path + path + "?" + query.Encode() + `>; rel="next"`
	}
	return out
}

// badPlace is the answer to a place in a list that is none.
func badPlace(err error) error {
	if store.CodeOf(err) != store.Invalid {
		return err
	}
	return &problem{status: http.StatusBadRequest, Code: "guard.invalid_input", Message: "The parameter before is no place in this list.",
		Data: []problemField{{"query.before", "is none that was given out here"}}}
}

const deliveriesPath = "/deliveries"

func (a *API) deliveries() {
	register(a, operation{http.MethodGet, deliveriesPath, "connectors", "List what became of mails, newest first", 0}, a.listDeliveries)
	register(a, operation{http.MethodGet, deliveriesPath + "/{id}", "connectors", "Read what became of a mail", 0}, a.getDelivery)
}

func (a *API) listDeliveries(ctx context.Context, in *struct {
	To        string `query:"to" maxLength:"320" doc:"Only those to this address"`
	State     string `query:"state" enum:"queued,sent,failed,expired,suppressed,delayed,delivered,bounced,complained,rejected,withheld" doc:"Only those in this state"`
	Connector string `query:"connector" maxLength:"64" doc:"Only those that this connector took or refused"`
	Usage     string `query:"usageType" maxLength:"64" doc:"Only those for this"`
	Further
}) (*followed[admin.Delivery], error) {
	q := admin.DeliveryQuery{State: in.State, Usage: store.Usage(in.Usage), Before: in.Before, Limit: in.Size}
	query := url.Values{}
	for name, value := range map[string]string{"to": in.To, "state": in.State, "connector": in.Connector, "usageType": in.Usage} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if in.To != "" {
		var err error
		if q.To, err = readEmail("query.to", in.To); err != nil {
			return nil, err
		}
	}
	if in.Connector != "" {
		q.Connector = a.connectorID(in.Connector)
	}
	found, err := a.Admin.Deliveries(ctx, q)
	if err != nil {
		return nil, badPlace(err)
	}
	return follow(deliveriesPath, query, in.Further, found, func(d admin.Delivery) string { return d.ID }), nil
}

func (a *API) getDelivery(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*struct{ Body admin.Delivery }, error) {
	d, err := a.Admin.Delivery(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &struct{ Body admin.Delivery }{d}, nil
}
