package turnstile

import (
	"context"
	"net/netip"
	"sync"
)

const (
	// maxAsked is how many questions are under way at once. While the service is slow, strangers could else
	// have thousands of them wait, each with its connection.
	maxAsked = 32
	// maxOfNetwork is how many of them one network has: a handful of tokens a second, good for nothing, is else
	// enough to hold all turns of a slow service, and nobody else gets one.
	maxOfNetwork = 4
)

// turns says whose questions are under way.
type turns struct {
	all chan struct{} // has room for those of everybody

	mu sync.Mutex
	of map[netip.Prefix]*line // those that have or want a turn
}

// line is one network's.
type line struct {
	room chan struct{}
	in   int
}

func newTurns() *turns {
	return &turns{all: make(chan struct{}, maxAsked), of: map[netip.Prefix]*line{}}
}

// take waits for a turn until ctx ends, first for one of the visitor's network: who waits there is in nobody's
// way but its own. The caller gives it back.
func (t *turns) take(ctx context.Context, visitor netip.Addr) (giveBack func(), ok bool) {
	from := network(visitor)
	t.mu.Lock()
	l := t.of[from]
	if l == nil {
		l = &line{room: make(chan struct{}, maxOfNetwork)}
		t.of[from] = l
	}
	l.in++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if l.in--; l.in == 0 {
			delete(t.of, from)
		}
	}
	if !enter(ctx, l.room) {
		leave()
		return nil, false
	}
	if !enter(ctx, t.all) {
		<-l.room
		leave()
		return nil, false
	}
	return func() { <-t.all; <-l.room; leave() }, true
}

// enter waits for room until ctx ends. Where there is some it does not matter that the time is over: the machine
// was busy then, and not the service.
func enter(ctx context.Context, room chan struct{}) bool {
	select {
	case room <- struct{}{}:
		return true
	default:
	}
	select {
	case room <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// network is what one stranger can have for nothing, or nearly: wider than the limits of codes have it, since nobody
// is charged here, and who shares it waits for milliseconds. The zero one is that of who has no address.
func network(visitor netip.Addr) netip.Prefix {
	visitor = visitor.Unmap().WithZone("")
	bits := 24
	if visitor.Is6() {
		bits = 48
	}
	n, _ := visitor.Prefix(bits)
	return n
}
