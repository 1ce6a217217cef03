-- +goose Up
-- What became of each mail, for those who ask whether it arrived. The address is there
-- sealed, to be shown, and as a keyed hash, to be found by: a dump names nobody.
ALTER TABLE mail ADD COLUMN address BLOB;
ALTER TABLE mail ADD COLUMN recipient BLOB;
ALTER TABLE mail ADD COLUMN locale TEXT;
-- What the provider told later. Each kind has its own time, so that they may come in
-- any order and more than once.
ALTER TABLE mail ADD COLUMN delayed_at INTEGER;
ALTER TABLE mail ADD COLUMN delivered_at INTEGER;
ALTER TABLE mail ADD COLUMN bounced_at INTEGER;
ALTER TABLE mail ADD COLUMN complained_at INTEGER;
ALTER TABLE mail ADD COLUMN rejected_at INTEGER;
ALTER TABLE mail ADD COLUMN feedback TEXT;     -- the provider's words on the last of them
CREATE INDEX mail_address ON mail (address);
CREATE INDEX mail_provider ON mail (provider_id) WHERE provider_id <> '';
-- After an outage the mails with most life left go first.
CREATE INDEX mail_backlog ON mail (expires_at) WHERE state = 1;

-- +goose Down
DROP INDEX mail_backlog;
DROP INDEX mail_provider;
DROP INDEX mail_address;
ALTER TABLE mail DROP COLUMN feedback;
ALTER TABLE mail DROP COLUMN rejected_at;
ALTER TABLE mail DROP COLUMN complained_at;
ALTER TABLE mail DROP COLUMN bounced_at;
ALTER TABLE mail DROP COLUMN delivered_at;
ALTER TABLE mail DROP COLUMN delayed_at;
ALTER TABLE mail DROP COLUMN locale;
ALTER TABLE mail DROP COLUMN recipient;
ALTER TABLE mail DROP COLUMN address;
