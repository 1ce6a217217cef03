package doctor

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"
)

// Resolver asks the DNS. *[net.Resolver] is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupHost(ctx context.Context, host string) ([]string, error)
}

// dnsTimeout bounds one question: a resolver that is there answers within a second.
const dnsTimeout = 4 * time.Second

// NewResolver asks the server at address, "host" or "host:port"; "" is the system's own.
func NewResolver(address string) *net.Resolver {
	if address == "" {
		return &net.Resolver{}
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), "53")
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
}

// txt gives the TXT records of a name, none if there are none. The error is that the
// DNS could not be asked.
func txt(ctx context.Context, r Resolver, name string) ([]string, error) {
	return asked(ctx, func(ctx context.Context) ([]string, error) { return r.LookupTXT(ctx, rooted(name)) })
}

func mx(ctx context.Context, r Resolver, name string) ([]*net.MX, error) {
	return asked(ctx, func(ctx context.Context) ([]*net.MX, error) { return r.LookupMX(ctx, rooted(name)) })
}

func hosts(ctx context.Context, r Resolver, name string) ([]string, error) {
	return asked(ctx, func(ctx context.Context) ([]string, error) { return r.LookupHost(ctx, rooted(name)) })
}

func asked[T any](ctx context.Context, ask func(context.Context) ([]T, error)) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, dnsTimeout)
	defer cancel()
	found, err := ask(ctx)
	var e *net.DNSError
	if errors.As(err, &e) && e.IsNotFound {
		return nil, nil
	}
	return found, err
}

// rooted keeps the search domains of this machine out of it.
func rooted(name string) string { return strings.TrimSuffix(name, ".") + "." }

// tags reads "v=DKIM1; k=rsa; p=…" (RFC 6376 section 3.2); white space in a value means
// nothing in any tag that is looked at here.
func tags(record string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(record, ";") {
		name, value, ok := strings.Cut(part, "=")
		if ok {
			out[strings.ToLower(strings.TrimSpace(name))] = strings.Join(strings.Fields(value), "")
		}
	}
	return out
}
