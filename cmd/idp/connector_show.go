package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

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
		one, err := in.saved(ctx, c.ID)
		if err != nil {
			return err
		}
		config, err := in.configOf(one)
		if err != nil {
			return err
		}
		var v any
		if err := json.Unmarshal(config, &v); err != nil {
			return fmt.Errorf("read the configuration of connector %q: %w", c.ID, err)
		}
		return a.printJSON(masked("", v))
	})
}

// secretKeys are fields of configurations whose values are nobody's business: any whose
// name, in lower case, ends in one of these.
var secretKeys = []string{"secret", "pass", "password", "privatekey", "signingkey", "token", "apikey", "authorization"}

const mask = "********"

// masked replaces the secrets in a configuration.
func masked(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, one := range v {
			v[k] = masked(k, one)
		}
	case []any:
		for i, one := range v {
			v[i] = masked(key, one)
		}
	case string:
		key = strings.ToLower(key)
		if v != "" && slices.ContainsFunc(secretKeys, func(s string) bool { return strings.HasSuffix(key, s) }) {
			return mask
		}
		if u, err := url.Parse(v); err == nil && u.Host != "" && (u.RawQuery != "" || u.User != nil) { // it may hold a token
			if u.RawQuery != "" {
				u.RawQuery = mask
			}
			if u.User != nil {
				u.User = url.User(mask)
			}
			return u.String()
		}
	}
	return v
}
