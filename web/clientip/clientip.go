// Package clientip finds the address a visitor has, for limits and logs.
//
// Anybody can send a forwarding header, so it is believed only as far as the
// configured proxies wrote it: X-Forwarded-For is read from right to left, and
// the first address that is no trusted proxy is the visitor's.
package clientip

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// Resolver knows which proxies to believe.
type Resolver struct {
	trusted []netip.Prefix
	log     *slog.Logger
	warn    sync.Once
}

// New makes a resolver that believes the forwarding headers of peers in trusted.
func New(trusted []netip.Prefix, log *slog.Logger) *Resolver {
	r := &Resolver{log: log}
	for _, p := range trusted {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		r.trusted = append(r.trusted, p.Masked())
	}
	return r
}

// Of is the visitor's address, IPv4 where it is one, without a zone. It is the
// zero Addr if the peer has none (a Unix socket).
func (c *Resolver) Of(r *http.Request) netip.Addr {
	peer, ok := parse(r.RemoteAddr)
	if !ok {
		return netip.Addr{}
	}
	if !c.isTrusted(peer) {
		c.warnIfForwarded(r, peer)
		return peer
	}
	// Several header lines are one list (RFC 9110 section 5.3).
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, ok := parse(strings.TrimSpace(hops[i]))
		if !ok {
			break // what stands further left may be made up
		}
		peer = hop
		if !c.isTrusted(hop) {
			break
		}
	}
	return peer
}

func (c *Resolver) isTrusted(a netip.Addr) bool {
	for _, p := range c.trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// warnIfForwarded tells the operator, once, that all visitors share a limit: the
// peer looks like his own proxy, and it is not believed.
func (c *Resolver) warnIfForwarded(r *http.Request, peer netip.Addr) {
	if len(c.trusted) > 0 || !(peer.IsPrivate() || peer.IsLoopback()) {
		return
	}
	if r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == "" {
		return
	}
	c.warn.Do(func() {
		c.log.WarnContext(r.Context(), "a proxy forwards requests and is not trusted: all visitors count as one address and share its limits",
			"peer", peer.String(), "hint", "set IDP_TRUSTED_PROXIES to the proxy's address, such as "+peer.String()+prefixOf(peer))
	})
}

func prefixOf(a netip.Addr) string {
	if a.Is4() {
		return "/32"
	}
	return "/128"
}

// parse reads an address with or without a port.
func parse(text string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap().WithZone(""), true
}
