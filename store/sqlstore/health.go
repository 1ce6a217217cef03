package sqlstore

import (
	"context"
	"fmt"

	"idp/store"
)

// SetConnectorHealth writes down how a replica gets on with a connector. The time is
// the database's.
func (db *DB) SetConnectorHealth(ctx context.Context, h store.ConnectorHealth) error {
	s := Script{Idempotent: true}
	s.Do(`
		INSERT INTO connector_health (connector, replica, at, health) VALUES ($1, $2, $3, $4)
		ON CONFLICT (connector, replica) DO UPDATE SET at = excluded.at, health = excluded.health`,
		h.Connector, h.Replica[:], db.now(), string(h.Health))
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("set connector health: %w", err)
	}
	return nil
}

// ConnectorHealth reads what the replicas told of their connectors, also those that
// are gone since: At tells.
func (db *DB) ConnectorHealth(ctx context.Context) ([]store.ConnectorHealth, error) {
	var out []store.ConnectorHealth
	err := db.engine.Read(ctx, `SELECT connector, replica, at, health FROM connector_health ORDER BY connector, replica`, nil,
		func(scan func(...any) error) error {
			var h store.ConnectorHealth
			var text string
			if err := scan(&h.Connector, idInto(&h.Replica), into(&h.At), &text); err != nil {
				return err
			}
			h.Health = []byte(text)
			out = append(out, h)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read connector health: %w", err)
	}
	return out, nil
}

// forgetReplicas removes what replicas told that are gone.
func (db *DB) forgetReplicas(s *Script, now int64) *Step {
	return s.Do(`DELETE FROM connector_health WHERE at < $1`, now-micro(keepHealth))
}
