-- Branches of repositories that have environments of their own, and the rules that say which do.
--
-- Both databases read this file. The version before this one inserts and updates repositories without the new columns, so each has a default; it knows nothing
-- of branches, so a repository that has some cannot be removed by it. Ids are made of digits and lower-case letters behind one prefix, which every collation
-- of PostgreSQL sorts alike.
--
-- Locks: the columns are added without touching a row. The reference lets nobody write repositories for the moment of its making.

-- +goose Up
ALTER TABLE repositories ADD COLUMN rules text NOT NULL DEFAULT '[]';
ALTER TABLE repositories ADD COLUMN branch_sweep text NOT NULL DEFAULT '{}'; -- how asking Git for branches went

CREATE TABLE branches (
    id              text PRIMARY KEY,
    repository_id   text NOT NULL REFERENCES repositories (id),
    project         text NOT NULL,
    name            text NOT NULL,
    head_commit     text NOT NULL, -- empty when the branch is gone
    host_at         bigint NOT NULL,
    heard_at        bigint NOT NULL,
    outcome         text NOT NULL,
    message         text NOT NULL,
    environment     text NOT NULL,
    environment_id  text NOT NULL, -- empty for none; it outlives the row of the environment
    built_commit    text NOT NULL,
    approved_commit text NOT NULL,
    approved_by     text NOT NULL,
    approved_at     bigint NOT NULL,
    turn            bigint NOT NULL,
    told            text NOT NULL,
    created_at      bigint NOT NULL,
    updated_at      bigint NOT NULL,
    version         bigint NOT NULL,
    UNIQUE (repository_id, name)
);
CREATE INDEX branches_repository ON branches (repository_id, id);
CREATE INDEX branches_environment ON branches (environment_id);

-- +goose Down
DROP TABLE branches;
ALTER TABLE repositories DROP COLUMN branch_sweep;
ALTER TABLE repositories DROP COLUMN rules;
