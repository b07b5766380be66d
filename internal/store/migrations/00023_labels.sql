-- Labels that people put on environments.
--
-- Both databases read this file. The version before this one knows nothing of it: it keeps the labels of what it writes, but takes them out of the search text, where
-- this one puts them back when it writes the environment again. What it makes has none.
--
-- Locks: the column is added without a look at the rows (PostgreSQL 11 and later keep a default apart).

-- +goose Up
-- Lines of key=value, by their keys, with a line end before the first and behind the last; empty for none.
ALTER TABLE environments ADD COLUMN labels text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE environments DROP COLUMN labels;
