package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"idp/audit"
	"idp/store"
)

type connectorOrderCmd struct {
	IDs []string `arg:"" name:"connector" help:"Connectors, the first to be tried first; those that are not named follow."`
}

// Run changes the order.
func (c *connectorOrderCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		err := in.admin.OrderConnectors(ctx, audit.Command(), c.IDs)
		if store.CodeOf(err) == store.NotFound {
			for _, id := range c.IDs {
				if _, err := in.saved(ctx, id); err != nil {
					return err
				}
			}
			return usage(errors.New("a connector is named twice"), "Name each once.")
		}
		if err != nil {
			return err
		}
		now, err := in.db.Connectors(ctx)
		if err != nil {
			return err
		}
		var ids []string
		for _, one := range now {
			ids = append(ids, one.ID)
		}
		a.note("Tried in this order now: %s.", strings.Join(ids, ", "))
		return nil
	})
}

type connectorRemoveCmd struct {
	ID string `arg:"" help:"Connector."`
}

// Run removes a connector. Its configuration is gone; mails go through the others.
func (c *connectorRemoveCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		err := in.admin.DeleteConnector(ctx, audit.Command(), c.ID, time.Time{})
		if store.CodeOf(err) == store.NotFound {
			return noConnector(c.ID)
		}
		if err != nil {
			return err
		}
		left, err := in.db.Connectors(ctx)
		if err != nil {
			return err
		}
		a.note("Removed %s.", c.ID)
		if len(left) == 0 {
			a.note("No connector is left: mails wait in the queue and expire.")
		}
		return nil
	})
}
