-- Which environments are made of which other repositories, so that a push there finds them.
--
-- Both databases read this file. The version before this one knows nothing of it: what it changes of an environment leaves its rows as they are, and the next
-- revision of this one replaces them; when it removes an environment, they go with it.
--
-- Locks: a new table and nothing else.

-- +goose Up
-- What the desired revision of an environment that is not terminated is made of.
CREATE TABLE source_uses (
    environment_id text NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    name           text NOT NULL, -- in the blueprint
    repository     text NOT NULL, -- address, without what hosts do not tell apart
    branch         text NOT NULL, -- that would be taken if the repository had it; empty for none
    ref            text NOT NULL, -- of the blueprint; empty means the default branch
    matched        boolean NOT NULL, -- the branch was taken, else the ref
    PRIMARY KEY (environment_id, name)
);
CREATE INDEX source_uses_repository ON source_uses (repository, environment_id);

-- +goose Down
DROP TABLE source_uses;
