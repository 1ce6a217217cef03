package postgres

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5/stdlib"

	"idp/migrations"
	"idp/store"
)

// Migrate applies pending migrations. Replicas that start at once let one through
// at a time. The error is [store.Conflict] for a database newer than this binary.
func (e *Engine) Migrate(ctx context.Context) error {
	db := e.admin()
	defer func() { _ = db.Close() }()
	err := migrations.Up(ctx, db, migrations.Postgres)
	for try := 1; try < maxTries && lockTimeout(err) && ctx.Err() == nil; try++ {
		if err := pause(ctx, try); err != nil {
			return fault(ctx, "migrate", err)
		}
		err = migrations.Up(ctx, db, migrations.Postgres)
	}
	return schemaFault(ctx, "migrate", err)
}

// MigrationStatus lists the migrations and changes nothing.
func (e *Engine) MigrationStatus(ctx context.Context) ([]migrations.Status, error) {
	db := e.admin()
	defer func() { _ = db.Close() }()
	list, err := migrations.List(ctx, db, migrations.Postgres)
	return list, schemaFault(ctx, "read migrations", err)
}

// admin is a handle beside the pool for schema changes. They may take long, but
// wait at most 2 s for a table's lock: everybody else queues up behind such a wait.
func (e *Engine) admin() *sql.DB {
	config := e.pool.Config().ConnConfig
	if !e.pooled {
		config.RuntimeParams["lock_timeout"] = "2s"
		config.RuntimeParams["statement_timeout"] = "0"
		config.RuntimeParams["timezone"] = "UTC" // goose keeps timestamps without a zone
	}
	return stdlib.OpenDB(*config)
}

// lockTimeout is whether a migration gave up waiting for a table.
func lockTimeout(err error) bool { return stateOf(err) == "55P03" }

// schemaFault is fault for an error that may be none, or carry its code already.
func schemaFault(ctx context.Context, op string, err error) error {
	if err == nil || store.CodeOf(err) != "" {
		return err
	}
	return fault(ctx, op, err)
}
