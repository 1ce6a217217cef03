package turnstile

import (
	"context"
	"net/netip"
	"time"
)

// PatientForTest has a client wait so long for the service's answer that no busy machine outlasts it.
func (c *Client) PatientForTest() { c.http.Timeout = 5 * time.Minute }

// TurnForTest tells whether a visitor gets a turn where there is room for everybody.
func TurnForTest(ctx context.Context) bool {
	_, ok := newTurns().take(ctx, netip.AddrFrom4([4]byte{192, 0, 2, 1}))
	return ok
}
