package op_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"idp/store"
	"idp/store/sqlstore"
)

// outage is an engine whose database stops answering, answers nonsense, or is slow.
type outage struct {
	sqlstore.Engine
	down, broken atomic.Bool
	slow         sync.RWMutex // held: lists of clients wait
	lists        atomic.Int32 // of clients, begun so far
}

func (o *outage) err() error {
	switch {
	case o.down.Load():
		return &store.Error{Code: store.Unavailable, Op: "test an outage"}
	case o.broken.Load():
		return errors.New("no such column")
	}
	return nil
}

// Run implements [sqlstore.Engine].
func (o *outage) Run(ctx context.Context, s *sqlstore.Script) error {
	if err := o.err(); err != nil {
		return err
	}
	return o.Engine.Run(ctx, s)
}

// Read implements [sqlstore.Engine].
func (o *outage) Read(ctx context.Context, query string, args []any, row func(func(...any) error) error) error {
	if strings.Contains(query, "FROM client WHERE id >") {
		o.lists.Add(1)
		o.slow.RLock()
		defer o.slow.RUnlock()
	}
	if err := o.err(); err != nil {
		return err
	}
	return o.Engine.Read(ctx, query, args, row)
}
