package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// special are networks that no public receiver is in (IANA's special-purpose registries, RFC 6890),
// beyond what [net/netip] knows to be private, loopback, link-local or multicast. Cloud
// metadata is at link-local, shared and unique-local addresses.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this host
	netip.MustParsePrefix("100.64.0.0/10"),   // shared by providers
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
	netip.MustParsePrefix("::/96"),           // IPv4-compatible, unspecified, loopback
	netip.MustParsePrefix("64:ff9b:1::/48"),  // local translation to IPv4
	netip.MustParsePrefix("100::/64"),        // discarded
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("3fff::/20"),       // documentation
	netip.MustParsePrefix("5f00::/16"),       // segment routing
	netip.MustParsePrefix("fec0::/10"),       // site-local, of old
}

// Prefixes of IPv6 addresses that an IPv4 address is inside of, and where.
var (
	translated = netip.MustParsePrefix("64:ff9b::/96") // the last four bytes
	sixToFour  = netip.MustParsePrefix("2002::/16")    // the four behind the prefix
)

// Dialer opens connections to public addresses, and to those in the allowed networks, for who
// fetches what somebody has named.
func Dialer(allowed []netip.Prefix) func(ctx context.Context, network, address string) (net.Conn, error) {
	return dialer(allowed)
}

// reachable tells whether something may be posted to an address. What is not encrypted
// goes only where it was allowed by name.
func reachable(ip netip.Addr, allowed []netip.Prefix, plain bool) bool {
	ip = ip.Unmap().WithZone("")
	for _, p := range allowed {
		if p.Contains(ip) {
			return true
		}
	}
	return !plain && public(ip)
}

func public(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() {
		return false
	}
	for _, p := range special {
		if p.Contains(ip) {
			return false
		}
	}
	b := ip.As16()
	switch {
	case translated.Contains(ip):
		return public(netip.AddrFrom4([4]byte(b[12:])))
	case sixToFour.Contains(ip):
		return public(netip.AddrFrom4([4]byte(b[2:6])))
	}
	return true
}

// errDestination says that a name led where nothing is posted to.
var errDestination = errors.New("nothing is posted to that address")

type plainKey struct{}

// dialer opens connections to reachable addresses only. It looks at the address that is
// connected to, after the name was resolved: what a name led to before, when it was set,
// says nothing about now.
func dialer(allowed []netip.Prefix) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		plain, _ := ctx.Value(plainKey{}).(bool)
		d := net.Dialer{Timeout: 5 * time.Second, ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			switch {
			case err != nil || network != "tcp4" && network != "tcp6":
				return errDestination
			case !reachable(to.Addr(), allowed, plain):
				return fmt.Errorf("%w: %s", errDestination, to.Addr())
			}
			return nil
		}}
		return d.DialContext(ctx, network, address)
	}
}
