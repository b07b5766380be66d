-- How far those have come who follow the events, so that each event is handed to each of them once, and where Blueberry tells a host how a pull request is.
--
-- Both databases read this file. The version before this one knows nothing of it.
--
-- Locks: the columns are added without touching a row. The index keeps writers of pulls waiting while it is made: one row per pull request.

-- +goose Up
CREATE TABLE followers (
    name text PRIMARY KEY,
    seq  bigint NOT NULL -- of the last event that was handed over
);

ALTER TABLE repositories ADD COLUMN api text NOT NULL DEFAULT '{}'; -- how the host is spoken to, without credentials
ALTER TABLE repositories ADD COLUMN credential bytea; -- encrypted
ALTER TABLE repositories ADD COLUMN health text NOT NULL DEFAULT '{}'; -- how speaking to the host went of late
ALTER TABLE repositories ADD COLUMN sweep text NOT NULL DEFAULT '{}'; -- how far looking for lost deliveries has come

CREATE TABLE pull_reports (
    pull_id    text PRIMARY KEY REFERENCES pulls (id),
    report     text NOT NULL,
    updated_at bigint NOT NULL
);

CREATE INDEX pulls_environment ON pulls (environment_id);

-- +goose Down
DROP INDEX pulls_environment;
DROP TABLE pull_reports;
ALTER TABLE repositories DROP COLUMN sweep;
ALTER TABLE repositories DROP COLUMN health;
ALTER TABLE repositories DROP COLUMN credential;
ALTER TABLE repositories DROP COLUMN api;
DROP TABLE followers;
