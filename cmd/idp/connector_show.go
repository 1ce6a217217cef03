package main

import (
	"context"
	"fmt"
	"slices"

	"idp/mailer"
	"idp/store"
)

// configOf opens the configuration of a saved connector.
func (in *instance) configOf(c store.Connector) ([]byte, error) {
	config, err := in.ring.Sealer("connector").Open(c.Sealed, []byte(c.ID))
	if err != nil {
		return nil, fmt.Errorf("open the configuration of connector %q: %w", c.ID, err)
	}
	return config, nil
}

// saved finds a connector.
func (in *instance) saved(ctx context.Context, id string) (store.Connector, error) {
	all, err := in.db.Connectors(ctx)
	if err != nil {
		return store.Connector{}, err
	}
	i := slices.IndexFunc(all, func(c store.Connector) bool { return c.ID == id })
	if i < 0 {
		return store.Connector{}, noConnector(id)
	}
	return all[i], nil
}

func noConnector(id string) error {
	return failed(fmt.Errorf("the connector %q is not set", printable(id)), "Those that are: idp connector list")
}

// sender makes the sender of a saved connector.
func (in *instance) sender(c store.Connector) (mailer.Sender, []byte, error) {
	config, err := in.configOf(c)
	if err != nil {
		return nil, nil, err
	}
	factory, ok := in.senders()[c.ID]
	if !ok {
		return nil, config, fmt.Errorf("this version has no connector %q", c.ID)
	}
	s, err := factory(config)
	return s, config, err
}

// addressOf is the address that a sender mails from, "" if it does not tell.
func addressOf(s mailer.Sender) string {
	if a, ok := s.(mailer.Addressed); ok {
		return a.Address()
	}
	return ""
}

type connectorShowCmd struct {
	jsonFlag        // as for all that print data; it is JSON without, too
	ID       string `arg:"" help:"Connector."`
}

// Run prints the configuration as JSON, its secrets masked.
func (c *connectorShowCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		one, err := in.admin.Connector(ctx, c.ID)
		if store.CodeOf(err) == store.NotFound {
			return noConnector(c.ID)
		}
		if err != nil {
			return err
		}
		if one.Problem != "" {
			a.note("%s does not work: %s", one.ID, printable(one.Problem))
		}
		return a.printJSON(one.Config)
	})
}
