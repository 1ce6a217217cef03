package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"idp/store"
	"idp/store/postgres"
	"idp/store/sqlstore"
)

// fillUsers makes n people, one each minute, with names and addresses that begin alike as
// those of people do.
func fillUsers(ctx context.Context, e *postgres.Engine, n int) error {
	const part = 250_000
	for from := 1; from <= n; from += part {
		var s sqlstore.Script
		s.Do(`
			INSERT INTO users (id, email, name, name_key, username, created_at, updated_at)
			SELECT 'u' || i, lower(first || '.' || last) || '.' || i || '@example.com', first || ' ' || last, lower(first || ' ' || last),
			  CASE WHEN i % 2 = 0 THEN first || '_' || i ELSE NULL END, at, at
			FROM (SELECT i, CAST($3 AS BIGINT) + i * 60000000 AS at,
			    (ARRAY['Ada', 'Alan', 'Grace', 'Edsger', 'Barbara', 'Donald', 'Zoe', 'Linus', 'Radia', 'Niklaus'])[1 + i % 10] AS first,
			    (ARRAY['Lovelace', 'Turing', 'Hopper', 'Dijkstra', 'Liskov', 'Knuth', 'Perlman'])[1 + i % 7] AS last
			  FROM generate_series(CAST($1 AS BIGINT), CAST($2 AS BIGINT)) AS i) AS made`, from, min(n, from+part-1), userMade(0).UnixMicro())
		if err := e.Run(ctx, &s); err != nil {
			return err
		}
		progress("%d of %d people", min(n, from+part-1), n)
	}
	return nil
}

// vacuumUsers does what Postgres does by itself some minutes later. As long as Postgres looks
// at the table for its statistics, which it begins by itself, a vacuum finds no page that all see.
func vacuumUsers(ctx context.Context, e *postgres.Engine) error {
	for range 30 {
		var s sqlstore.Script
		s.Do(`VACUUM ANALYZE users`)
		if err := e.Run(ctx, &s); err != nil {
			return err
		}
		seen := false
		err := e.Read(ctx, `SELECT relallvisible > relpages * 0.99 FROM pg_class WHERE oid = 'users'::regclass`, nil, func(scan func(...any) error) error { return scan(&seen) })
		if err != nil || seen {
			return err
		}
		time.Sleep(time.Second)
	}
	return errors.New("vacuuming the accounts did nothing")
}

func userMade(i int) time.Time { return time.UnixMicro(1_700_000_000_000_000 + int64(i)*60_000_000) }

// userLists are pages of people, with the count and the last sign-ins that go with them.
func userLists(people int) []list {
	page := func(name string, q store.UserQuery) list {
		return list{"users: " + name, func(ctx context.Context, db *sqlstore.DB) (int, error) {
			if q.Limit == 0 {
				q.Limit = 20
			}
			found, err := db.Users(ctx, q)
			return len(found.Users), err
		}}
	}
	find := func(field store.UserField, pattern string) []store.UserTerm {
		return []store.UserTerm{{Field: field, Pattern: pattern}}
	}
	half := people / 2
	return []list{
		page("the first page", store.UserQuery{}),
		page("the 500th page", store.UserQuery{Offset: 499 * 20}),
		page("the last numbered page of 100", store.UserQuery{Offset: 99 * 100, Limit: 100}),
		page("half way, behind a cursor", store.UserQuery{After: store.UserCursor{CreatedAt: userMade(half), ID: fmt.Sprintf("u%d", half)}}),
		page("address begins with a, the 500th", store.UserQuery{Terms: find(store.UserEmail, "a%"), Offset: 499 * 20}),
		page("address begins with grace.h", store.UserQuery{Terms: find(store.UserEmail, "grace.h%")}),
		page("username begins with ada_7", store.UserQuery{Terms: find(store.UserUsername, "ada_7%")}),
		page("name begins with zo", store.UserQuery{Terms: find(store.UserName, "zo%")}),
		page("anything begins with ada", store.UserQuery{Terms: find(store.AnyUserField, "ada%")}),
		page("anything begins so, nobody", store.UserQuery{Terms: find(store.AnyUserField, "nobody%")}),
		page("one id", store.UserQuery{Terms: find(store.AnyUserField, fmt.Sprintf("u%d", half))}),
	}
}
