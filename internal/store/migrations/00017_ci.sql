-- What pipelines said of commits, and which findings of scans are let pass for a time.
--
-- Both databases read this file. The version before this one knows nothing of it: it cannot remove a repository that CI has reported on,
-- and a project that it removes leaves its exceptions behind.
-- Ids are made of digits and lower-case letters behind one prefix, which every collation of PostgreSQL sorts alike.
--
-- Locks: the columns are added without touching a row, and have defaults for what the version before this one writes.

-- +goose Up
CREATE TABLE ci_reports (
    id            text PRIMARY KEY,
    repository_id text NOT NULL REFERENCES repositories (id),
    project       text NOT NULL,
    commit_name   text NOT NULL, -- whole
    branch        text NOT NULL,
    pipeline      text NOT NULL,
    created_at    bigint NOT NULL,
    updated_at    bigint NOT NULL,
    version       bigint NOT NULL,
    summary       text NOT NULL, -- of everything but findings and failures
    parts         bytea NOT NULL, -- gzip of the whole; last: SQLite reads a row up to the column that is asked for
    UNIQUE (repository_id, commit_name, pipeline)
);
CREATE INDEX ci_reports_repository ON ci_reports (repository_id, id);
CREATE INDEX ci_reports_updated ON ci_reports (updated_at, id);

CREATE TABLE scan_exceptions (
    id            text PRIMARY KEY,
    project       text NOT NULL,
    repository_id text NOT NULL, -- empty for the whole project
    finding       text NOT NULL,
    package       text NOT NULL,
    reason        text NOT NULL,
    until_at      bigint NOT NULL,
    created_by    text NOT NULL,
    created_at    bigint NOT NULL
);
CREATE INDEX scan_exceptions_project ON scan_exceptions (project, id);
CREATE INDEX scan_exceptions_until ON scan_exceptions (until_at, id);

ALTER TABLE pulls ADD COLUMN gate_commit text NOT NULL DEFAULT '';
ALTER TABLE pulls ADD COLUMN gate_since bigint NOT NULL DEFAULT 0;
ALTER TABLE pulls ADD COLUMN gate_held boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE pulls DROP COLUMN gate_held;
ALTER TABLE pulls DROP COLUMN gate_since;
ALTER TABLE pulls DROP COLUMN gate_commit;
DROP TABLE scan_exceptions;
DROP TABLE ci_reports;
