-- +goose Up
-- Mails that the operator words: they take the place of ours, by usage and language.
CREATE TABLE mail_template (
  id           TEXT NOT NULL UNIQUE,
  usage        TEXT NOT NULL,
  locale       TEXT NOT NULL,
  subject      TEXT NOT NULL,
  content      TEXT NOT NULL,
  content_type TEXT NOT NULL,    -- text/html or text/plain
  reply_to     TEXT NOT NULL,
  send_from    TEXT NOT NULL,
  created_at   BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL,
  PRIMARY KEY (usage, locale)
);

-- +goose Down
DROP TABLE mail_template;
