package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"idp/audit"
	"idp/mailer"
	"idp/store"
)

type connectorStore interface {
	Connectors(ctx context.Context) ([]store.Connector, error)
	FreshConnectors(ctx context.Context) ([]store.Connector, error)
	SetConnector(ctx context.Context, c store.Connector, told ...store.Event) error
	UpdateConnector(ctx context.Context, c store.Connector, seen time.Time, told ...store.Event) (time.Time, error)
	DeleteConnector(ctx context.Context, id string, seen time.Time, told ...store.Event) error
	OrderConnectors(ctx context.Context, ids []string, told ...store.Event) error
	Tell(ctx context.Context, told ...store.Event) error
	ConnectorHealth(ctx context.Context) ([]store.ConnectorHealth, error)
	MailCounts(ctx context.Context, since time.Time, most int) ([]store.MailCount, error)
}

// Connector is a connector that is set up.
type Connector struct {
	ID        string         // of its [Factory]: there is one of each
	Position  int            // it is tried after those before it
	Config    map[string]any // with [Mask] in the place of secrets
	Address   string         // that it sends from, "" if it does not tell
	Problem   string         // why its configuration does not work, "" if it does
	Warnings  []string       // what is probably not meant in it
	UpdatedAt time.Time
}

// Connectors lists the connectors in the order they are tried, as they are now.
func (s *Service) Connectors(ctx context.Context) ([]Connector, error) {
	found, err := s.store.FreshConnectors(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Connector, len(found))
	for i, c := range found {
		out[i] = s.showConnector(c)
		out[i].Position = i
	}
	return out, nil
}

// Connector reads a connector, as it is now. The error is [store.NotFound].
func (s *Service) Connector(ctx context.Context, id string) (Connector, error) {
	all, err := s.Connectors(ctx)
	if err != nil {
		return Connector{}, err
	}
	i := slices.IndexFunc(all, func(c Connector) bool { return c.ID == id })
	if i < 0 {
		return Connector{}, &store.Error{Code: store.NotFound, Op: "read connector"}
	}
	return all[i], nil
}

// SetConnector sets a connector up, or anew, and puts it first. Masks in config stand for the
// secrets of the one that is replaced.
func (s *Service) SetConnector(ctx context.Context, by audit.Actor, id string, config map[string]any) (Connector, error) {
	const op = "set connector"
	before, err := s.rawConnector(ctx, id)
	if err != nil && store.CodeOf(err) != store.NotFound {
		return Connector{}, err
	}
	kind := "connector.updated"
	if err != nil {
		kind = "connector.created"
	}
	text, config, err := s.checkConnector(op, id, before, config)
	if err != nil {
		return Connector{}, err
	}
	entry := s.book.Entry(by, audit.Record{Kind: kind, Target: id, Detail: configChanges(s.openedOrNil(before), config)})
	if err := s.store.SetConnector(ctx, store.Connector{ID: id, Sealed: s.connectors.Seal(text, []byte(id))}, entry); err != nil {
		return Connector{}, err
	}
	return s.Connector(ctx, id)
}

// UpdateConnector replaces the configuration of a connector, which keeps its place. Masks
// stand for the secrets it has. seen as in [Service.UpdateClient].
func (s *Service) UpdateConnector(ctx context.Context, by audit.Actor, id string, seen time.Time, config map[string]any) (Connector, error) {
	const op = "update connector"
	_, err := edit(op, seen,
		func() (store.Connector, time.Time, error) {
			c, err := s.rawConnector(ctx, id)
			return c, c.UpdatedAt, err
		},
		func(before store.Connector, version time.Time) (after store.Connector, err error) {
			text, config, err := s.checkConnector(op, id, before, config)
			if err != nil {
				return before, err
			}
			after = before
			after.Sealed = s.connectors.Seal(text, []byte(id))
			entry := s.book.Entry(by, audit.Record{Kind: "connector.updated", Target: id, Detail: configChanges(s.openedOrNil(before), config)})
			after.UpdatedAt, err = s.store.UpdateConnector(ctx, after, version, entry)
			return after, err
		})
	if err != nil {
		return Connector{}, err
	}
	return s.Connector(ctx, id)
}

// IsConnector tells whether a connector is configured like this. Masks stand for the secrets
// it has.
func (s *Service) IsConnector(ctx context.Context, id string, config map[string]any) (bool, error) {
	before, err := s.rawConnector(ctx, id)
	if err != nil {
		return false, err
	}
	text, _, err := s.checkConnector("compare connector", id, before, config)
	if err != nil {
		return false, err
	}
	var after map[string]any
	if err := json.Unmarshal(text, &after); err != nil {
		return false, err
	}
	return reflect.DeepEqual(after, s.openedOrNil(before)), nil
}

// DeleteConnector removes a connector: mails go through the others. seen as in
// [Service.UpdateClient].
func (s *Service) DeleteConnector(ctx context.Context, by audit.Actor, id string, seen time.Time) error {
	c, err := s.rawConnector(ctx, id)
	if err != nil {
		return err
	}
	return s.store.DeleteConnector(ctx, id, seen, s.book.Entry(by, audit.Record{Kind: "connector.deleted", Target: id, Detail: configChanges(s.openedOrNil(c), nil)}))
}

// OrderConnectors has the connectors named tried first, in that order; the others follow as
// they were. The error is [store.NotFound] if one is not set, or is named twice.
func (s *Service) OrderConnectors(ctx context.Context, by audit.Actor, ids []string) error {
	return s.store.OrderConnectors(ctx, ids, s.book.Entry(by, audit.Record{Kind: "connector.ordered", Detail: map[string]any{"first": ids}}))
}

// checkConnector puts secrets in the place of masks, and checks what comes out.
func (s *Service) checkConnector(op, id string, before store.Connector, config map[string]any) ([]byte, map[string]any, error) {
	if _, ok := s.senders[id]; !ok {
		return nil, nil, &store.Error{Code: store.NotFound, Op: op}
	}
	old := s.openedOrNil(before)
	var u unmasking
	filled, _ := u.fill("", "", config, old).(map[string]any)
	if u.left != "" {
		return nil, nil, store.InvalidField(op, "config."+u.left, "is what stands for a secret that is not there: write the secret")
	}
	text, err := json.Marshal(filled)
	if err == nil {
		err = json.Unmarshal(text, &filled) // the same number is the same, whoever made the configuration
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", op, err)
	}
	if other := elsewhere(filled, old); u.kept && other != "" {
		return nil, nil, store.InvalidField(op, "config."+other, "differs from what is saved: write the secrets again, too, because they are sent there")
	}
	if err := s.senders.Check(id, text); err != nil {
		return nil, nil, &store.Error{Code: store.Invalid, Op: op, Err: configErrors(id, err)}
	}
	return text, filled, nil
}

func (s *Service) rawConnector(ctx context.Context, id string) (store.Connector, error) {
	all, err := s.store.FreshConnectors(ctx)
	if err != nil {
		return store.Connector{}, err
	}
	i := slices.IndexFunc(all, func(c store.Connector) bool { return c.ID == id })
	if i < 0 {
		return store.Connector{}, &store.Error{Code: store.NotFound, Op: "read connector"}
	}
	return all[i], nil
}

// openConnector gives the configuration of a connector, with its secrets.
func (s *Service) openConnector(c store.Connector) (config map[string]any, err error) {
	text, err := s.connectors.Open(c.Sealed, []byte(c.ID))
	if err == nil {
		err = json.Unmarshal(text, &config)
	}
	if err != nil {
		return nil, fmt.Errorf("open the configuration of connector %q: %w", c.ID, err)
	}
	return config, nil
}

// openedOrNil is openConnector for what is replaced: it need not be readable.
func (s *Service) openedOrNil(c store.Connector) map[string]any {
	config, err := s.openConnector(c)
	if err != nil {
		return nil
	}
	return config
}

func (s *Service) showConnector(c store.Connector) Connector {
	out := Connector{ID: c.ID, Config: map[string]any{}, UpdatedAt: c.UpdatedAt}
	config, err := s.openConnector(c)
	if err != nil {
		out.Problem = err.Error()
		return out
	}
	out.Config, _ = masked("", config).(map[string]any)
	out.Warnings = ConfigWarnings(config)
	factory, ok := s.senders[c.ID]
	if !ok {
		out.Problem = "this version has no such connector"
		return out
	}
	text, err := json.Marshal(config)
	if err != nil {
		out.Problem = err.Error()
		return out
	}
	sender, err := factory(text)
	if err != nil {
		out.Problem = err.Error()
		return out
	}
	if a, ok := sender.(mailer.Addressed); ok {
		out.Address = a.Address()
	}
	if closer, ok := sender.(mailer.Closer); ok {
		if err := closer.Close(); err != nil {
			out.Problem = errors.Join(errors.New("close"), err).Error()
		}
	}
	return out
}
