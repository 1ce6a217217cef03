-- +goose Up
-- How people register and sign in, and what the pages look like: one row, when it was set.
CREATE TABLE experience (
  id         SMALLINT PRIMARY KEY,
  settings   TEXT NOT NULL,  -- JSON
  updated_at BIGINT NOT NULL
);
-- And what an app has of its own.
ALTER TABLE client ADD COLUMN description TEXT;
ALTER TABLE client ADD COLUMN experience TEXT;   -- JSON: display name, logo, colour, terms
ALTER TABLE client ADD COLUMN custom_data TEXT;  -- JSON
ALTER TABLE client ADD COLUMN metadata TEXT;     -- JSON: what Logto keeps of an app and nothing here decides by

-- +goose Down
ALTER TABLE client DROP COLUMN metadata;
ALTER TABLE client DROP COLUMN custom_data;
ALTER TABLE client DROP COLUMN experience;
ALTER TABLE client DROP COLUMN description;
DROP TABLE experience;
