package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"idp/store/postgres"
	"idp/store/sqlite"
	"idp/store/sqlstore"
)

const day = 24 * time.Hour

// dialect is how an engine makes numbers into rows and keys.
type dialect struct {
	series string // rows i from $1 to $2
	hex    string // a number as %d hexadecimal digits
	six    string // a number below a million as six decimal digits
	blob   string // bytes of a hexadecimal text
	part   int    // rows that are written in a transaction
}

var dialects = map[string]dialect{
	"postgres": {`generate_series(CAST($1 AS BIGINT), CAST($2 AS BIGINT)) AS i`, `lpad(to_hex(CAST(%[2]s AS BIGINT)), %[1]d, '0')`, `lpad(CAST(%s AS TEXT), 6, '0')`, `decode(%s, 'hex')`, 500_000},
	"sqlite":   {`(WITH RECURSIVE up (i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM up WHERE i < $2) SELECT i FROM up)`, `printf('%%0%[1]dx', %[2]s)`, `printf('%%06d', %s)`, `unhex(%s)`, 50_000},
}

// growing is a table that grows with its use, and how it is filled.
type growing struct {
	table string
	per   float64       // rows of an account
	back  time.Duration // how long ago the oldest row was written; the others lie evenly behind it
	// columns and values. Of the values: {key} is the row's key as 16 digits, which lie over all
	// keys as hashes do and are written in their order, {hash} the same as a hash, {id} the id of
	// its time, {at} when it was written, {user} the account's id, {no} the account's number.
	columns, values string
}

// grown is what fill makes of accounts. Nothing of it is dead, so purging has nothing
// to do that it would not have anyway.
var grown = []growing{
	{"users", 1, 730 * day, `id, email, name, created_at, updated_at`,
		`{user}, 'person' || {registered} || '.' || {no} || '@example.com', 'Person ' || {no}, {at}, {at}`},
	{"session", 1, 13 * day, `hash, user_id, browser, amr, auth_time, idle_at, expires_at, agent, seen_at`,
		`{hash}, {user}, {hash}, 'otp', {at}, {at} + 1209600000000, {at} + 1209600000000, 'Firefox on Windows', {at}`},
	{"oidc_grant", 1, 13 * day, `id, client_id, user_id, session, scopes, created_at, access_hash, access_until, offline, auth_time, amr, refresh_hash, refresh_made, refresh_until`,
		`{id}, 'filled', {user}, {hash}, 'openid offline_access', {at}, {hash}, {at} + 3600000000, 1, {at}, 'otp', {hash}, {at}, {at} + 1209600000000`},
	{"device", 1, 170 * day, `address, browser, expires_at`, `{hash}, {hash}, {at} + 15552000000000`},
	{"mail", 1, 29 * day, `id, challenge, usage, decoy, state, attempts, worker, due_at, created_at, expires_at, settled_at, sender, provider_id, error, address, locale`,
		`{id}, {id}, 'SignIn', 0, 2, 1, {id}, {at}, {at}, {at} + 600000000, {at}, 'http', {key}, '', {hash}, 'en'`},
	{"challenge", .1, 20 * time.Hour, `id, purpose, browser, request, address, mac1, until1, tries, max_tries, sends, max_sends, sent_at, next_send, created_at, expires_at, mail, sender, consumed_at`,
		`{id}, 1, {hash}, {hash}, {hash}, {hash}, {at}, 1, 5, 1, 3, {at}, {at}, {at}, {at} + 600000000, {id}, {id}, {at}`},
	{"auth_code", .1, 20 * time.Hour, `hash, client_id, redirect_uri, code_challenge, nonce, scopes, session, user_id, expires_at, consumed_at, consumed_by, grant_id`,
		`{hash}, 'filled', 'https://app.example.com/callback', {key}, {key}, 'openid', {hash}, {user}, {at} + 60000000, {at}, {id}, {id}`},
	{"budget", .1, time.Hour, `key, tat, tat2, taker`, `{hash}, {at} + 172800000000, {at} + 172800000000, {id}`},
	{"event", 2, 365 * day, `id, at, kind, user_id, client_id, request, personal, key_id, batch`,
		`{id}, {at}, CASE WHEN i % 10 < 9 THEN 'user.signed_in' ELSE 'user.signed_out' END, {user}, 'filled', {key}, {personal}, {user}, 1000000000 + i / 1000`},
}

// filling is what fill was told.
type filling struct {
	accounts, registered int
	salt                 int           // rows of two fills differ in it
	ago                  time.Duration // how old the newest row is, a minute apart
}

// sql is the statement that writes rows $1 to $2 of so many.
func (b growing) sql(d dialect, rows int, f filling, now time.Time) string {
	hex := func(digits int, number string) string { return fmt.Sprintf(d.hex, digits, number) }
	scramble := func(i string, salt int) string {
		return hex(8, fmt.Sprintf(`((%s) * 2654435761 + %d) %% 4294967296`, i, salt))
	}
	first, apart := now.Add(-f.ago-b.back).UnixMicro(), (b.back-time.Minute).Microseconds()/int64(rows+1)
	at, prefix, salted := fmt.Sprintf(`(%d + i * %d)`, first, apart), hex(8, fmt.Sprintf(`i * %d`, keysApart(rows))), scramble(`i`, f.salt)
	key, no := prefix+` || `+salted, fmt.Sprintf(`(i * %d / %d)`, f.accounts, rows+1)
	blob := func(hexadecimal string) string { return fmt.Sprintf(d.blob, hexadecimal) }
	four := key + ` || ` + key + ` || ` + key + ` || ` + key
	values := strings.NewReplacer(
		`{key}`, `(`+key+`)`,
		`{hash}`, blob(four),
		`{personal}`, blob(four+` || `+four+` || `+four),
		`{id}`, blob(hex(12, at+` / 1000`)+` || `+salted+` || `+prefix+` || '0000'`),
		`{at}`, at,
		`{user}`, `(`+hex(8, fmt.Sprintf(`%s * %d`, no, keysApart(f.accounts)))+` || `+scramble(no, 0)+`)`,
		`{registered}`, fmt.Sprintf(d.six, fmt.Sprintf(`%s %% %d`, no, f.registered)), // between the addresses of people, which so lie all over the index
		`{no}`, no,
	).Replace(b.values)
	return `INSERT INTO ` + b.table + ` (` + b.columns + `) SELECT ` + values + ` FROM ` + d.series
}

// keysApart is how far apart the first 32 bits of so many keys are that lie evenly.
func keysApart(rows int) int { return (1<<32 - 1) / (rows + 1) }

// filler writes to the database beside the program under test.
type filler struct {
	engine     sqlstore.Engine
	kind       string
	registered int
}

func (st *stage) filler(ctx context.Context) (*filler, error) {
	f := &filler{kind: st.engine, registered: st.people.count}
	var err error
	switch db := st.db.(type) {
	case embedded:
		f.engine, err = sqlite.Open(ctx, filepath.Join(db.dir, "idp.db"), sqlite.Options{})
	case *served:
		f.engine, err = postgres.Open(ctx, db.cluster.URL(), postgres.Options{StatementTimeout: fillTimeout})
	}
	return f, err
}

// fill makes so many accounts with all that they leave behind.
func (st *stage) fill(ctx context.Context, accounts int) (err error) {
	if accounts == 0 {
		return nil
	}
	f, err := st.filler(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.engine.Close()) }()
	for _, b := range grown {
		if err := f.write(ctx, b, int(b.per*float64(accounts)), filling{accounts: accounts}); err != nil {
			return err
		}
	}
	return f.tidy(ctx)
}

// write writes so many rows.
func (f *filler) write(ctx context.Context, b growing, rows int, what filling) error {
	if rows == 0 {
		return nil
	}
	began, d := time.Now(), dialects[f.kind]
	what.registered = f.registered
	text := b.sql(d, rows, what, began)
	for from := 1; from <= rows; from += d.part {
		var s sqlstore.Script
		s.Do(text, from, min(rows, from+d.part-1))
		if err := f.engine.Run(ctx, &s); err != nil {
			return fmt.Errorf("fill %s: %w", b.table, err)
		}
	}
	progress("%s: %d rows of %s in %s", f.kind, rows, b.table, time.Since(began).Round(time.Second))
	return nil
}

// tidy does what Postgres does by itself some minutes later. SQLite does nothing by itself.
func (f *filler) tidy(ctx context.Context) error {
	if f.kind != "postgres" {
		return nil
	}
	for _, b := range grown {
		var s sqlstore.Script
		s.Do(`VACUUM (ANALYZE) ` + b.table)
		if err := f.engine.Run(ctx, &s); err != nil {
			return err
		}
	}
	var s sqlstore.Script
	s.Do(`CHECKPOINT`)
	return f.engine.Run(ctx, &s)
}
