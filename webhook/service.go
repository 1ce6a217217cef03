package webhook

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"idp/keyring"
	"idp/store"
)

// Store is what is asked of the database.
type Store interface {
	Now() time.Time
	Hooks(ctx context.Context) ([]store.Hook, error)
	DueHooks(ctx context.Context) ([]store.Hook, error)
	HookBacklog(ctx context.Context, hook string, most int) (int, error)
	ClaimHookDeliveries(ctx context.Context, hook string, lease time.Duration, limit int) ([]store.HookDelivery, error)
	SettleHookDeliveries(ctx context.Context, worker store.ID, results []store.HookResult) error
	User(ctx context.Context, id string) (store.User, error)
	Client(ctx context.Context, id string) (store.Client, error)
	Role(ctx context.Context, id string) (store.Role, error)
	Scope(ctx context.Context, id string) (store.Scope, error)
}

// Suppressed is an address that takes no mail.
type Suppressed struct {
	Address   string `json:"address"` // "" if it cannot be told any more
	Reason    string `json:"reason"`
	Detail    string `json:"detail,omitempty"` // the provider's words, or an administrator's
	Mail      string `json:"mailId,omitempty"` // by which it was learned
	CreatedAt int64  `json:"createdAt"`        // milliseconds since 1970
}

// Deps is what a [Service] is made of.
type Deps struct {
	Store Store
	Ring  *keyring.Ring
	Log   *slog.Logger

	// Suppressed reads what an entry of the audit log about a suppressed address tells of, by
	// its target. The error is [store.NotFound]. Nil: that is not told.
	Suppressed func(ctx context.Context, target string) (Suppressed, error)

	Allow []netip.Prefix // networks that are not public, and are posted to all the same
	Agent string         // the User-Agent of posts
	Pace  Pace           // zero: as in production
	Trace Trace          // nil: nobody is told
}

// Trace is told of each attempt to deliver, n counting from 1. What it gives back is called
// once, when that has ended, with the status that was answered, 0 for none.
type Trace func(ctx context.Context, delivery store.ID, hook, event string, n int) (context.Context, func(status int, err error))

// Service makes, queues and posts deliveries. Its methods are safe for concurrent use.
type Service struct {
	store  Store
	vault  vault
	log    *slog.Logger
	client *client
	pace   Pace
	trace  Trace

	suppressed func(ctx context.Context, target string) (Suppressed, error)

	mu    sync.Mutex
	lines map[string]*line   // of hooks that were due lately, by id
	full  map[string]backlog // how long queues are, by hook
}

// New makes the service; Run works until its context ends.
func New(d Deps) (*Service, error) {
	if d.Store == nil || d.Ring == nil || d.Log == nil || d.Agent == "" {
		return nil, errors.New("webhook: Store, Ring, Log and Agent are needed")
	}
	return &Service{
		store: d.Store, vault: newVault(d.Ring), log: d.Log, client: newClient(d.Allow, d.Agent), pace: d.Pace.filled(), trace: d.Trace,
		suppressed: d.Suppressed,
		lines:      map[string]*line{}, full: map[string]backlog{},
	}, nil
}
