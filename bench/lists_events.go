package main

import (
	"context"
	"fmt"
	"time"

	"idp/admin"
	"idp/store"
	"idp/store/postgres"
	"idp/store/sqlstore"
)

// fillEvents writes events as a year of them would be: nine of ten are sign-ins, of a
// million people, in twenty apps of which one has most.
func fillEvents(ctx context.Context, e *postgres.Engine, n int) error {
	indexes := map[string]string{} // definitions, by name
	err := e.Read(ctx, `SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'event' AND indexname <> 'event_pkey'`, nil, func(scan func(...any) error) error {
		var name, sql string
		err := scan(&name, &sql)
		indexes[name] = sql
		return err
	})
	if err != nil {
		return err
	}
	const part = 500_000
	do := func(sql string, args ...any) error {
		var s sqlstore.Script
		s.Do(sql, args...)
		return e.Run(ctx, &s)
	}
	for name := range indexes { // they are faster made anew
		if err := do(`DROP INDEX ` + name); err != nil {
			return err
		}
	}
	begin, step := time.Now().Add(-365*24*time.Hour).UnixMicro(), (365*24*time.Hour).Microseconds()/int64(n)
	for from := 0; from < n; from += part {
		err := do(`
			INSERT INTO event (id, at, kind, user_id, client_id, request, personal, key_id, batch)
			SELECT decode(lpad(to_hex((at / 1000)::bigint), 12, '0') || left(md5(i::text), 20), 'hex'), at,
			  CASE WHEN i % 10 < 9 THEN 'user.signed_in' WHEN i % 1000 = 9 THEN 'grant.token_reused' WHEN i % 100 = 19 THEN 'user.signed_out'
			    WHEN i % 1000000 = 29 THEN 'client.updated' ELSE 'user.registered' END,
			  'u' || (hashint8(i) & 1048575), 'c' || CASE WHEN i % 3 < 2 THEN 0 ELSE i % 20 END, left(md5(i::text), 16),
			  decode(repeat(md5(i::text), 9), 'hex'), 'u' || (hashint8(i) & 1048575), i / 1000 + 1
			FROM (SELECT i, CAST($3 AS bigint) + i * CAST($4 AS bigint) AS at FROM generate_series(CAST($1 AS bigint), CAST($2 AS bigint)) AS i) AS rows`,
			from, min(from+part, n)-1, begin, step)
		if err != nil {
			return err
		}
		progress("%d of %d events", min(from+part, n), n)
	}
	for _, sql := range indexes {
		if err := do(sql); err != nil {
			return err
		}
	}
	return do(`VACUUM (ANALYZE) event`) // as autovacuum has by then, which also goes by inserts
}

// logLists are the pages of GET /api/logs.
func logLists() (out []list) {
	ago := func(days int) time.Time { return time.Now().Add(-time.Duration(days) * 24 * time.Hour) }
	for _, one := range []struct {
		name   string
		filter store.EventFilter
		offset int
	}{
		{"logs", store.EventFilter{}, 0},
		{"logs, page 100", store.EventFilter{}, 9900},
		{"logs of a user", store.EventFilter{User: "u4711"}, 0},
		{"logs of nobody", store.EventFilter{User: "nobody"}, 0},
		{"logs of the great app", store.EventFilter{Client: "c0"}, 0},
		{"logs of the great app, page 100", store.EventFilter{Client: "c0"}, 9900},
		{"logs of a small app", store.EventFilter{Client: "c7"}, 0},
		{"sign-ins", store.EventFilter{Kind: sqlstore.EventSignedIn}, 0},
		{"registrations", store.EventFilter{Kind: "user.registered"}, 0},
		{"a rare kind", store.EventFilter{Kind: "client.updated"}, 0},
		{"no such kind", store.EventFilter{Kind: "no.such"}, 0},
		{"a rare kind in the great app", store.EventFilter{Kind: "client.updated", Client: "c0"}, 0},
		{"sign-ins in a small app", store.EventFilter{Kind: sqlstore.EventSignedIn, Client: "c7"}, 0},
		{"sign-ins of a user", store.EventFilter{Kind: sqlstore.EventSignedIn, User: "u4711"}, 0},
		{"a month, half a year ago", store.EventFilter{Since: ago(210), Until: ago(180)}, 0},
		{"an hour, half a year ago", store.EventFilter{Since: ago(180), Until: ago(180).Add(time.Hour)}, 0},
		{"the great app, half a year ago", store.EventFilter{Client: "c0", Since: ago(210), Until: ago(180)}, 0},
		{"registrations, half a year ago", store.EventFilter{Kind: "user.registered", Since: ago(210), Until: ago(180)}, 0},
	} {
		out = append(out, list{one.name, func(ctx context.Context, db *sqlstore.DB) (int, error) {
			total, err := db.CountEvents(ctx, one.filter, admin.LogReach+1)
			if err != nil {
				return 0, err
			}
			found, err := db.Events(ctx, one.filter, one.offset, 100)
			if want := max(0, min(100, total-one.offset)); err == nil && len(found) != want {
				err = fmt.Errorf("%d rows, want %d", len(found), want)
			}
			return len(found), err
		}})
	}
	return out
}
