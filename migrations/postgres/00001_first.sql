-- +goose Up
-- One row: what all replicas share.
CREATE TABLE instance (
  id           SMALLINT PRIMARY KEY,
  epoch        BIGINT NOT NULL,  -- bumped by every administrative change; empties the caches
  high_water   BIGINT NOT NULL,  -- no replica's clock goes below it, microseconds
  secret_check BYTEA             -- tells whether a process holds the right instance secret
);
INSERT INTO instance (id, epoch, high_water) VALUES (1, 1, 0);

CREATE TABLE users (
  id           TEXT PRIMARY KEY,
  email        TEXT NOT NULL UNIQUE,
  name         TEXT NOT NULL,
  created_at   BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL,
  suspended_at BIGINT
);

CREATE TABLE client (
  id                        TEXT PRIMARY KEY,
  name                      TEXT NOT NULL,
  type                      TEXT NOT NULL,
  redirect_uris             TEXT NOT NULL,
  post_logout_redirect_uris TEXT NOT NULL,
  id_token_alg              TEXT NOT NULL,
  pkce                      SMALLINT NOT NULL,
  created_at                BIGINT NOT NULL,
  updated_at                BIGINT NOT NULL
);

CREATE TABLE client_secret (
  id         BYTEA PRIMARY KEY,
  client_id  TEXT NOT NULL,
  hash       BYTEA NOT NULL,
  prefix     TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX client_secret_client ON client_secret (client_id);

CREATE TABLE signing_key (
  id         TEXT PRIMARY KEY,
  alg        TEXT NOT NULL,
  sealed     BYTEA NOT NULL,
  public     BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  retired_at BIGINT
);
-- Several replicas may start at once: one live key per algorithm.
CREATE UNIQUE INDEX signing_key_live ON signing_key (alg) WHERE retired_at IS NULL;

CREATE TABLE connector (
  id         TEXT PRIMARY KEY,
  position   SMALLINT NOT NULL,
  sealed     BYTEA NOT NULL,
  updated_at BIGINT NOT NULL
);

-- One row a budget (GCRA): tat is the theoretical arrival time of each window.
-- taker is the attempt that charged it last: later statements of its script look for it.
CREATE TABLE budget (
  key   BYTEA PRIMARY KEY,
  tat   BIGINT NOT NULL,
  tat2  BIGINT NOT NULL,
  taker BYTEA NOT NULL
);

CREATE TABLE challenge (
  id          BYTEA PRIMARY KEY,
  purpose     SMALLINT NOT NULL,
  browser     BYTEA NOT NULL,
  request     BYTEA NOT NULL,
  address     BYTEA NOT NULL,   -- keyed hash
  mac1        BYTEA NOT NULL,
  mac2        BYTEA,
  mac3        BYTEA,
  until1      BIGINT NOT NULL,
  until2      BIGINT,
  until3      BIGINT,
  tries       SMALLINT NOT NULL,
  max_tries   SMALLINT NOT NULL,
  sends       SMALLINT NOT NULL,
  max_sends   SMALLINT NOT NULL,
  sent_at     BIGINT NOT NULL,
  next_send   BIGINT NOT NULL,
  created_at  BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  ip_key      BYTEA,            -- budget row to refund when the code is redeemed
  mail        BYTEA NOT NULL,   -- the newest one
  sender      BYTEA NOT NULL,   -- the attempt that sent the newest mail
  guesser     BYTEA,            -- the attempt judged last: judged again, it costs no second try
  prover      BYTEA,            -- the attempt that proved the code
  consumed_at  BIGINT,
  consumed_mac BYTEA,           -- of the code that was right, for the double click
  consumed_by  BYTEA            -- hash of the session it became
);

CREATE TABLE session (
  hash       BYTEA PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  browser    BYTEA NOT NULL,
  amr        TEXT NOT NULL,
  auth_time  BIGINT NOT NULL,
  idle_at    BIGINT NOT NULL,    -- dies then, unless used
  expires_at BIGINT NOT NULL,
  ended_at   BIGINT,
  replaced_by BYTEA           -- the session that a new proof in the same browser made of it
);
CREATE INDEX session_by_user ON session (user_id);

CREATE TABLE auth_code (
  hash           BYTEA PRIMARY KEY,
  client_id      TEXT NOT NULL,
  redirect_uri   TEXT NOT NULL,
  code_challenge TEXT NOT NULL,  -- S256, or empty
  nonce          TEXT NOT NULL,
  scopes         TEXT NOT NULL,
  session        BYTEA NOT NULL,
  user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  expires_at     BIGINT NOT NULL,
  consumed_at    BIGINT,
  consumed_by    BYTEA,          -- the request that redeemed it
  grant_id       BYTEA
);

-- A grant holds the hash of its live access token; the token carries the grant's id.
CREATE TABLE oidc_grant (
  id             BYTEA PRIMARY KEY,
  client_id      TEXT NOT NULL,
  user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  session        BYTEA NOT NULL,
  scopes         TEXT NOT NULL,
  created_at     BIGINT NOT NULL,
  access_hash    BYTEA NOT NULL,
  access_until   BIGINT NOT NULL,
  revoked_at     BIGINT
);
CREATE INDEX oidc_grant_user ON oidc_grant (user_id);

CREATE TABLE mail (
  id          BYTEA PRIMARY KEY,
  challenge   BYTEA NOT NULL,
  usage       TEXT NOT NULL,
  payload     BYTEA,             -- sealed; removed when the mail is settled
  decoy       SMALLINT NOT NULL,
  state       SMALLINT NOT NULL,
  attempts    SMALLINT NOT NULL,
  worker      BYTEA NOT NULL,
  due_at      BIGINT NOT NULL,   -- when it may be claimed: the end of the lease, or the next try
  created_at  BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  settled_at  BIGINT,
  sender      TEXT NOT NULL,
  provider_id TEXT NOT NULL,
  error       TEXT NOT NULL
);
CREATE INDEX mail_due ON mail (due_at) WHERE state = 1;

CREATE TABLE inbox (
  id         BYTEA PRIMARY KEY,
  sealed     BYTEA NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE event (
  id        BYTEA PRIMARY KEY,
  at        BIGINT NOT NULL,
  kind      TEXT NOT NULL,
  user_id   TEXT NOT NULL,
  client_id TEXT NOT NULL
);

-- +goose Down
DROP TABLE event, inbox, mail, oidc_grant, auth_code, session, challenge, budget, connector,
  signing_key, client_secret, client, users, instance;
