package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"idp/store"
)

// DeleteConnector removes a connector; the ones after it move up. The error is
// [store.NotFound].
func (db *DB) DeleteConnector(ctx context.Context, id string) error {
	var s Script
	done := s.Do(`DELETE FROM connector WHERE id = $1`, id)
	if err := db.administer(ctx, "delete connector", &s); err != nil {
		return err
	}
	return needRow(done, "delete connector")
}

// OrderConnectors puts the connectors named first, in that order; the others follow as
// they were. The error is [store.NotFound], with nothing changed, if one of those named is
// not set, or is named twice.
func (db *DB) OrderConnectors(ctx context.Context, ids []string) error {
	const op = "order connectors"
	args := []any{len(ids)}
	var places strings.Builder
	for i, id := range ids {
		args = append(args, id)
		fmt.Fprintf(&places, "WHEN id = $%d THEN CAST(%d AS BIGINT) ", i+2, i)
	}
	if len(ids) == 0 {
		return &store.Error{Code: store.NotFound, Op: op}
	}
	// One statement, so that two orders at once are one after the other. A name that is
	// there twice makes its count differ, too.
	var s Script
	done := s.Do(`
		UPDATE connector SET position = CASE `+places.String()+`ELSE position + CAST($1 AS BIGINT) END
		WHERE CAST($1 AS BIGINT) = (SELECT COUNT(*) FROM connector AS named WHERE named.id IN (`+placeholders(2, len(ids))+`))`, args...)
	if err := db.administer(ctx, op, &s); err != nil {
		return err
	}
	return needRow(done, op)
}

// placeholders are n of them from $first on.
func placeholders(first, n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("$%d", first+i)
	}
	return strings.Join(out, ", ")
}

// SuppressedCount counts the addresses that take no mail.
func (db *DB) SuppressedCount(ctx context.Context) (n int, err error) {
	err = db.one(ctx, "count suppressed addresses", `SELECT COUNT(*) FROM suppression`, nil, &n)
	return n, err
}
