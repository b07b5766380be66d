-- How far the code of a pull request is trusted: environments that are restricted, and the commit that somebody vouched for.
--
-- Both databases read this file. The version before this one inserts and updates without the new columns, so each has a default: an environment that it makes
-- is not restricted, and it makes none for whom this version would restrict.
--
-- Locks: the columns are added without touching a row.

-- +goose Up
ALTER TABLE environments ADD COLUMN restricted boolean NOT NULL DEFAULT false;
ALTER TABLE pulls ADD COLUMN built_restricted boolean NOT NULL DEFAULT false;
ALTER TABLE pulls ADD COLUMN config text NOT NULL DEFAULT '';
ALTER TABLE pulls ADD COLUMN approved_commit text NOT NULL DEFAULT '';
ALTER TABLE pulls ADD COLUMN approved_by text NOT NULL DEFAULT '';
ALTER TABLE pulls ADD COLUMN approved_at bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE pulls DROP COLUMN approved_at;
ALTER TABLE pulls DROP COLUMN approved_by;
ALTER TABLE pulls DROP COLUMN approved_commit;
ALTER TABLE pulls DROP COLUMN config;
ALTER TABLE pulls DROP COLUMN built_restricted;
ALTER TABLE environments DROP COLUMN restricted;
