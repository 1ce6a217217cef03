package sqlstore

import (
	"sync"
	"sync/atomic"
	"time"
)

// maxAge bounds how old a cached value gets while the database, and with it the
// epoch, cannot be read; maxEntries how much room a stranger can make it take
// (only ids that exist are kept).
const (
	maxAge     = 5 * time.Second
	maxEntries = 10_000
)

// cache holds configuration: clients, keys, connectors. It is emptied when the
// epoch of the database moves, and never holds a "not found".
type cache struct {
	mu      sync.RWMutex
	epoch   int64
	round   int  // counts clearings: a value read before one is not kept after it
	silent  bool // the epoch could not be read the last time
	entries map[string]entry

	hits, misses atomic.Uint64
}

type entry struct {
	value any
	until time.Time
}

// observe empties the cache if the epoch has moved, and lets what it holds live on
// if not.
func (c *cache) observe(epoch int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silent = false
	if c.epoch != epoch {
		c.epoch, c.entries, c.round = epoch, nil, c.round+1
		return
	}
	until := time.Now().Add(maxAge)
	for k, e := range c.entries {
		e.until = until
		c.entries[k] = e
	}
}

// age drops what is too old, when the epoch could not be read.
func (c *cache) age() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silent = true
	now := time.Now()
	for k, e := range c.entries {
		if now.After(e.until) {
			delete(c.entries, k)
		}
	}
}

// isSilent tells whether the database did not answer the last time it was asked for the epoch.
func (c *cache) isSilent() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.silent
}

func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries, c.round = nil, c.round+1
}

// cached gives the value under key, reading it if there is none. Errors are not kept.
func cached[T any](c *cache, key string, read func() (T, error)) (T, error) {
	c.mu.RLock()
	e, ok := c.entries[key]
	round := c.round
	c.mu.RUnlock()
	if ok && time.Now().Before(e.until) {
		c.hits.Add(1)
		return e.value.(T), nil
	}
	c.misses.Add(1)
	v, err := read()
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.round != round {
		return v, nil
	}
	if c.entries == nil || len(c.entries) >= maxEntries {
		c.entries = map[string]entry{}
	}
	c.entries[key] = entry{v, time.Now().Add(maxAge)}
	return v, nil
}
