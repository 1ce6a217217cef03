package sqlstore

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"idp/store"
)

const clientColumns = `id, name, type, redirect_uris, post_logout_redirect_uris, id_token_alg, pkce, created_at, updated_at,
	COALESCE(always_refresh, 0), COALESCE(jwks, ''), COALESCE(description, ''), experience, custom_data, metadata`

func scanClient(scan func(...any) error) (store.Client, error) {
	var c store.Client
	var pkce, always int
	err := scan(&c.ID, &c.Name, (*string)(&c.Type), jsonInto(&c.RedirectURIs), jsonInto(&c.PostLogoutRedirectURIs),
		&c.IDTokenAlg, &pkce, into(&c.CreatedAt), into(&c.UpdatedAt), &always, &c.JWKS, &c.Description,
		jsonInto(&c.Experience), jsonInto(&c.CustomData), jsonInto(&c.Metadata))
	c.PKCE, c.AlwaysRefresh = pkce == 1, always == 1
	return c, err
}

// Client reads a client with its live secrets. It may be as old as the cache
// (5 s at most); an id that is not found is asked for again each time. The error
// is [store.NotFound].
func (db *DB) Client(ctx context.Context, id string) (store.Client, error) {
	return cached(&db.cache, "client/"+id, func() (store.Client, error) { return db.readClient(ctx, id) })
}

// FreshClient is [DB.Client] past the cache: what is about to be changed.
func (db *DB) FreshClient(ctx context.Context, id string) (store.Client, error) {
	return db.readClient(ctx, id)
}

func (db *DB) readClient(ctx context.Context, id string) (store.Client, error) {
	const op = "read client"
	var c store.Client
	err := db.engine.Read(ctx, `SELECT `+clientColumns+` FROM client WHERE id = $1`, []any{id},
		func(scan func(...any) error) (err error) { c, err = scanClient(scan); return err })
	if err != nil {
		return c, fmt.Errorf("%s: %w", op, err)
	}
	if c.ID == "" {
		return c, &store.Error{Code: store.NotFound, Op: op}
	}
	err = db.engine.Read(ctx, `
		SELECT id, hash, prefix, COALESCE(name, ''), created_at, expires_at, used_at
		FROM client_secret WHERE client_id = $1 ORDER BY id DESC`, []any{id},
		func(scan func(...any) error) error {
			var s store.ClientSecret
			if err := scan(idInto(&s.ID), hashInto(&s.Hash), &s.Prefix, &s.Name, into(&s.CreatedAt), into(&s.ExpiresAt), into(&s.UsedAt)); err != nil {
				return err
			}
			c.Secrets = append(c.Secrets, s)
			return nil
		})
	if err != nil {
		return c, fmt.Errorf("%s: %w", op, err)
	}
	return c, nil
}

// Clients lists clients by id, without their secrets, starting behind after.
func (db *DB) Clients(ctx context.Context, after string, limit int) ([]store.Client, error) {
	var out []store.Client
	err := db.engine.Read(ctx, `SELECT `+clientColumns+` FROM client WHERE id > $1 ORDER BY id LIMIT $2`, []any{after, limit},
		func(scan func(...any) error) error {
			c, err := scanClient(scan)
			out = append(out, c)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	return out, nil
}

// ClientsLike lists clients, oldest first and without their secrets, and counts them.
func (db *DB) ClientsLike(ctx context.Context, l store.ClientListing) ([]store.Client, int, error) {
	types := ""
	for _, t := range l.Types {
		types += "," + string(t)
	}
	return pageOf(ctx, db, "list clients", `SELECT `+clientColumns, `
		FROM client WHERE (lower(name) LIKE lower(CAST($1 AS TEXT)) ESCAPE '\' OR lower(id) LIKE lower(CAST($1 AS TEXT)) ESCAPE '\')
		  AND (CAST($2 AS TEXT) = '' OR CAST($2 AS TEXT) || ',' LIKE '%,' || type || ',%')
		  AND NOT EXISTS (SELECT 1 FROM client_role WHERE client_id = client.id AND role_id = $3)`,
		`created_at, id`, l.Listing, []any{like(l.Search), types, l.NotRole}, scanClient)
}

// CreateClient adds a client with its secrets, and says so in the audit log. The error is
// [store.Conflict] if the id exists.
func (db *DB) CreateClient(ctx context.Context, c store.Client, told ...store.Event) error {
	var s Script
	addClient(&s, db.now(), c)
	return db.administer(ctx, "create client", &s, told...)
}

func addClient(s *Script, now int64, c store.Client) {
	s.Do(`
		INSERT INTO client (id, name, type, redirect_uris, post_logout_redirect_uris, id_token_alg, pkce, created_at, updated_at, always_refresh, jwks,
		  description, experience, custom_data, metadata)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11, $12, $13, $14)`,
		c.ID, c.Name, string(c.Type), jsonOf(list(c.RedirectURIs)), jsonOf(list(c.PostLogoutRedirectURIs)), c.IDTokenAlg, flag(c.PKCE), now,
		flag(c.AlwaysRefresh), c.JWKS, c.Description, jsonOf(c.Experience), raw(c.CustomData), raw(c.Metadata))
	for _, secret := range c.Secrets {
		addSecret(s, now, c.ID, secret)
	}
}

// UpdateClient replaces all of a client but its id, type, secrets and times, if it is still
// the one that was read: seen is its UpdatedAt then. It answers the new UpdatedAt. Errors:
// [store.NotFound], [store.Changed].
func (db *DB) UpdateClient(ctx context.Context, c store.Client, seen time.Time, told ...store.Event) (time.Time, error) {
	const op = "update client"
	var s Script
	var updated time.Time
	s.Do(`
		UPDATE client SET name = $3, redirect_uris = $4, post_logout_redirect_uris = $5, id_token_alg = $6, pkce = $7, always_refresh = $8, jwks = $9,
		  description = $10, experience = $11, custom_data = $12, metadata = $13, updated_at = `+later("$14")+`
		WHERE id = $1 AND updated_at = $2 RETURNING updated_at`,
		c.ID, seen.UnixMicro(), c.Name, jsonOf(list(c.RedirectURIs)), jsonOf(list(c.PostLogoutRedirectURIs)), c.IDTokenAlg, flag(c.PKCE),
		flag(c.AlwaysRefresh), c.JWKS, c.Description, jsonOf(c.Experience), raw(c.CustomData), raw(c.Metadata), db.now()).
		Into(into(&updated)).Need(op, store.Changed)
	err := db.administer(ctx, op, &s, told...)
	return updated, db.changedOrGone(ctx, err, `SELECT 1 FROM client WHERE id = $1`, c.ID)
}

// DeleteClient removes a client and its secrets. Its codes and grants are worth
// nothing from then on: every use of one asks for the client. seen is its UpdatedAt; zero:
// whatever it is. Errors: [store.NotFound], [store.Changed].
func (db *DB) DeleteClient(ctx context.Context, id string, seen time.Time, told ...store.Event) error {
	const op = "delete client"
	var s Script
	s.Do(`DELETE FROM client WHERE id = $1 AND CAST($2 AS BIGINT) IN (0, updated_at)`, id, stamp(seen)).Need(op, store.Changed)
	s.Do(`DELETE FROM client_secret WHERE client_id = $1`, id)
	s.Do(`DELETE FROM client_role WHERE client_id = $1`, id)
	err := db.administer(ctx, op, &s, told...)
	return db.changedOrGone(ctx, err, `SELECT 1 FROM client WHERE id = $1`, id)
}

// AddClientSecret adds a secret and keeps the newest keep of the ones before it.
// The error is [store.NotFound].
func (db *DB) AddClientSecret(ctx context.Context, client string, secret store.ClientSecret, keep int, told ...store.Event) error {
	const op = "add client secret"
	var s Script
	s.Do(`UPDATE client SET updated_at = `+later("$2")+` WHERE id = $1`, client, db.now()).Need(op, store.NotFound)
	s.Do(`
		DELETE FROM client_secret WHERE client_id = $1 AND id NOT IN (
		  SELECT id FROM client_secret WHERE client_id = $1 ORDER BY id DESC LIMIT $2)`, client, keep)
	addSecret(&s, db.now(), client, secret)
	return db.administer(ctx, op, &s, told...)
}

func addSecret(s *Script, now int64, client string, secret store.ClientSecret) {
	s.Do(`INSERT INTO client_secret (id, client_id, hash, prefix, created_at, name, expires_at)
		SELECT $1, id, $3, $4, $5, $6, $7 FROM client WHERE id = $2`,
		secret.ID[:], client, secret.Hash[:], secret.Prefix, now, secret.Name, optionalTime(secret.ExpiresAt))
}

// NoteSecretUse notes when secrets were used last. It is no change of configuration:
// no cache is emptied.
func (db *DB) NoteSecretUse(ctx context.Context, at map[store.ID]time.Time) error {
	s := Script{Idempotent: true}
	byID := func(a, b store.ID) int { return bytes.Compare(a[:], b[:]) }
	for _, id := range slices.SortedFunc(maps.Keys(at), byID) { // one order, so that two replicas never wait crosswise
		s.Do(`UPDATE client_secret SET used_at = $2 WHERE id = $1 AND COALESCE(used_at, 0) < $2`, id[:], at[id].UnixMicro())
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("note used secrets: %w", err)
	}
	return nil
}

// UseAssertion marks the assertion of a client as used (RFC 7523 section 3, jti) until
// it expires. The error is [store.Used] if it was before.
func (db *DB) UseAssertion(ctx context.Context, key store.Hash, until time.Time) error {
	const op = "use assertion"
	by := attempt()
	s := Script{Idempotent: true}
	s.Do(`INSERT INTO assertion (key, expires_at, used_by) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING`, key[:], until.UnixMicro(), by[:])
	mine := s.Do(`SELECT 1 FROM assertion WHERE key = $1 AND used_by = $2`, key[:], by[:]).Into(new(int))
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if mine.Rows == 0 {
		return &store.Error{Code: store.Used, Op: op}
	}
	return nil
}

func needRow(s *Step, op string) error {
	if s.Rows == 0 {
		return &store.Error{Code: store.NotFound, Op: op}
	}
	return nil
}

// list keeps nil out of the JSON.
func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}
