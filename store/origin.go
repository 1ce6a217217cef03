package store

import (
	"context"
	"net/netip"
)

// Origin is where a request comes from, for the entries of the audit log that it leads to.
type Origin struct {
	IP      netip.Addr
	Agent   string // the browser or program, as it calls itself
	Request string // id of the HTTP request
	Actor   string // as in [Event], where it is nobody who is signed in: "command"
}

type originKey struct{}

// WithOrigin says where what is done in ctx comes from.
func WithOrigin(ctx context.Context, o *Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf is what [WithOrigin] said; zero if nothing did.
func OriginOf(ctx context.Context) Origin {
	if o, ok := ctx.Value(originKey{}).(*Origin); ok {
		return *o
	}
	return Origin{}
}
