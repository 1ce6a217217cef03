package mailer

import (
	"sync"
	"time"

	"idp/store"
)

// held is the mails in our hands, until their result is settled, with the end of
// their lease.
type held struct {
	mu    sync.Mutex
	until map[store.ID]time.Time
}

// take notes a lease. It answers false, and only makes the lease longer, if the
// mail is in our hands already.
func (h *held) take(id store.ID, until time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, have := h.until[id]
	h.until[id] = until
	return !have
}

func (h *held) lease(id store.ID) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.until[id]
}

func (h *held) drop(ids ...store.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range ids {
		delete(h.until, id)
	}
}
