-- +goose Up
-- One row: what all replicas share.
CREATE TABLE instance (
  id           INTEGER PRIMARY KEY,
  epoch        INTEGER NOT NULL,  -- bumped by every administrative change; empties the caches
  high_water   INTEGER NOT NULL,  -- no replica's clock goes below it, microseconds
  secret_check BLOB             -- tells whether a process holds the right instance secret
) STRICT, WITHOUT ROWID;
INSERT INTO instance (id, epoch, high_water) VALUES (1, 1, 0);

CREATE TABLE users (
  id           TEXT PRIMARY KEY,
  email        TEXT NOT NULL UNIQUE,
  name         TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  suspended_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE client (
  id                        TEXT PRIMARY KEY,
  name                      TEXT NOT NULL,
  type                      TEXT NOT NULL,
  redirect_uris             TEXT NOT NULL,
  post_logout_redirect_uris TEXT NOT NULL,
  id_token_alg              TEXT NOT NULL,
  pkce                      INTEGER NOT NULL,
  created_at                INTEGER NOT NULL,
  updated_at                INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE client_secret (
  id         BLOB PRIMARY KEY,
  client_id  TEXT NOT NULL,
  hash       BLOB NOT NULL,
  prefix     TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX client_secret_client ON client_secret (client_id);

CREATE TABLE signing_key (
  id         TEXT PRIMARY KEY,
  alg        TEXT NOT NULL,
  sealed     BLOB NOT NULL,
  public     BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  retired_at INTEGER
) STRICT, WITHOUT ROWID;
-- Several replicas may start at once: one live key per algorithm.
CREATE UNIQUE INDEX signing_key_live ON signing_key (alg) WHERE retired_at IS NULL;

CREATE TABLE connector (
  id         TEXT PRIMARY KEY,
  position   INTEGER NOT NULL,
  sealed     BLOB NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a budget (GCRA): tat is the theoretical arrival time of each window.
-- taker is the attempt that charged it last: later statements of its script look for it.
CREATE TABLE budget (
  key   BLOB PRIMARY KEY,
  tat   INTEGER NOT NULL,
  tat2  INTEGER NOT NULL,
  taker BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE challenge (
  id          BLOB PRIMARY KEY,
  purpose     INTEGER NOT NULL,
  browser     BLOB NOT NULL,
  request     BLOB NOT NULL,
  address     BLOB NOT NULL,   -- keyed hash
  mac1        BLOB NOT NULL,
  mac2        BLOB,
  mac3        BLOB,
  until1      INTEGER NOT NULL,
  until2      INTEGER,
  until3      INTEGER,
  tries       INTEGER NOT NULL,
  max_tries   INTEGER NOT NULL,
  sends       INTEGER NOT NULL,
  max_sends   INTEGER NOT NULL,
  sent_at     INTEGER NOT NULL,
  next_send   INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  ip_key      BLOB,            -- budget row to refund when the code is redeemed
  mail        BLOB NOT NULL,   -- the newest one
  sender      BLOB NOT NULL,   -- the attempt that sent the newest mail
  guesser     BLOB,            -- the attempt judged last: judged again, it costs no second try
  prover      BLOB,            -- the attempt that proved the code
  consumed_at  INTEGER,
  consumed_mac BLOB,           -- of the code that was right, for the double click
  consumed_by  BLOB            -- hash of the session it became
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
  hash       BLOB PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  browser    BLOB NOT NULL,
  amr        TEXT NOT NULL,
  auth_time  INTEGER NOT NULL,
  idle_at    INTEGER NOT NULL,    -- dies then, unless used
  expires_at INTEGER NOT NULL,
  ended_at   INTEGER,
  replaced_by BLOB           -- the session that a new proof in the same browser made of it
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_user ON session (user_id);

CREATE TABLE auth_code (
  hash           BLOB PRIMARY KEY,
  client_id      TEXT NOT NULL,
  redirect_uri   TEXT NOT NULL,
  code_challenge TEXT NOT NULL,  -- S256, or empty
  nonce          TEXT NOT NULL,
  scopes         TEXT NOT NULL,
  session        BLOB NOT NULL,
  user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  expires_at     INTEGER NOT NULL,
  consumed_at    INTEGER,
  consumed_by    BLOB,          -- the request that redeemed it
  grant_id       BLOB
) STRICT, WITHOUT ROWID;

-- A grant holds the hash of its live access token; the token carries the grant's id.
CREATE TABLE oidc_grant (
  id             BLOB PRIMARY KEY,
  client_id      TEXT NOT NULL,
  user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  session        BLOB NOT NULL,
  scopes         TEXT NOT NULL,
  created_at     INTEGER NOT NULL,
  access_hash    BLOB NOT NULL,
  access_until   INTEGER NOT NULL,
  revoked_at     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX oidc_grant_user ON oidc_grant (user_id);

CREATE TABLE mail (
  id          BLOB PRIMARY KEY,
  challenge   BLOB NOT NULL,
  usage       TEXT NOT NULL,
  payload     BLOB,             -- sealed; removed when the mail is settled
  decoy       INTEGER NOT NULL,
  state       INTEGER NOT NULL,
  attempts    INTEGER NOT NULL,
  worker      BLOB NOT NULL,
  due_at      INTEGER NOT NULL,   -- when it may be claimed: the end of the lease, or the next try
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  settled_at  INTEGER,
  sender      TEXT NOT NULL,
  provider_id TEXT NOT NULL,
  error       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_due ON mail (due_at) WHERE state = 1;

CREATE TABLE inbox (
  id         BLOB PRIMARY KEY,
  sealed     BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
  id        BLOB PRIMARY KEY,
  at        INTEGER NOT NULL,
  kind      TEXT NOT NULL,
  user_id   TEXT NOT NULL,
  client_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE event; DROP TABLE inbox; DROP TABLE mail; DROP TABLE oidc_grant; DROP TABLE auth_code;
DROP TABLE session; DROP TABLE challenge; DROP TABLE budget; DROP TABLE connector; DROP TABLE signing_key;
DROP TABLE client_secret; DROP TABLE client; DROP TABLE users; DROP TABLE instance;
