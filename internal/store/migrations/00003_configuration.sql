-- Config sets, the catalogue, plans, holds, policies, quotas, and revisions that know what they were made of.
--
-- Both databases read this file; what of it PostgreSQL sorts by bytes is migration 4. The version before this one inserts without the new columns, so each
-- has a default, and what it writes is read as of an environment without demand, config sets and catalogue.
--
-- Locks, with a million rows in each table: the columns are added without touching a row. The index on revisions reads that table once and lets nobody
-- write it meanwhile: about 3 s. The one on environments skips the terminated ones, and takes about 1 s.

-- +goose Up
ALTER TABLE projects ADD COLUMN quota text NOT NULL DEFAULT '{}';
ALTER TABLE projects ADD COLUMN version bigint NOT NULL DEFAULT 1;

ALTER TABLE environments ADD COLUMN kind text NOT NULL DEFAULT ''; -- empty when the version before this one wrote the row
ALTER TABLE environments ADD COLUMN demand_cpu bigint NOT NULL DEFAULT 0;
ALTER TABLE environments ADD COLUMN demand_memory bigint NOT NULL DEFAULT 0;
ALTER TABLE environments ADD COLUMN demand_pods bigint NOT NULL DEFAULT 0;
ALTER TABLE environments ADD COLUMN demand_storage bigint NOT NULL DEFAULT 0;
ALTER TABLE environments ADD COLUMN drift text NOT NULL DEFAULT '{}';
ALTER TABLE environments ADD COLUMN drift_since bigint NOT NULL DEFAULT 0;
CREATE INDEX environments_live_usage ON environments (project, kind, demand_cpu, demand_memory, demand_pods, demand_storage) WHERE phase <> 'terminated';

ALTER TABLE revisions ADD COLUMN inputs text NOT NULL DEFAULT '{}';
ALTER TABLE revisions ADD COLUMN demand_cpu bigint NOT NULL DEFAULT 0;
ALTER TABLE revisions ADD COLUMN demand_memory bigint NOT NULL DEFAULT 0;
ALTER TABLE revisions ADD COLUMN demand_pods bigint NOT NULL DEFAULT 0;
ALTER TABLE revisions ADD COLUMN demand_storage bigint NOT NULL DEFAULT 0;
ALTER TABLE revisions ADD COLUMN plan text NOT NULL DEFAULT '';
ALTER TABLE revisions ADD COLUMN restored_from bigint NOT NULL DEFAULT 0;
ALTER TABLE revisions ADD COLUMN settings bytea NOT NULL DEFAULT ''; -- last: SQLite reads a row up to the column that is asked for
CREATE INDEX revisions_digest ON revisions (digest);

-- An empty project means none: such sets and blueprints are global, such policies of the installation.
CREATE TABLE config_sets (
    id         text PRIMARY KEY,
    project    text NOT NULL,
    name       text NOT NULL,
    latest     bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version    bigint NOT NULL,
    UNIQUE (project, name)
);
CREATE INDEX config_sets_name ON config_sets (name, id);

CREATE TABLE config_versions (
    set_id            text NOT NULL REFERENCES config_sets (id),
    number            bigint NOT NULL,
    author            text NOT NULL,
    message           text NOT NULL,
    source_repository text NOT NULL,
    source_ref        text NOT NULL,
    source_commit     text NOT NULL,
    source_path       text NOT NULL,
    restored_from     bigint NOT NULL,
    digest            text NOT NULL,
    public            text NOT NULL,
    created_at        bigint NOT NULL,
    content           bytea NOT NULL,
    parsed            text NOT NULL,
    PRIMARY KEY (set_id, number)
);

-- What the desired revision of an environment that is not terminated uses. The references keep a set from going while someone begins to use it.
CREATE TABLE config_uses (
    environment_id text NOT NULL REFERENCES environments (id),
    set_id         text NOT NULL REFERENCES config_sets (id),
    number         bigint NOT NULL,
    follow         boolean NOT NULL,
    stack          text NOT NULL,
    PRIMARY KEY (environment_id, set_id)
);
CREATE INDEX config_uses_set ON config_uses (set_id, environment_id);

CREATE TABLE blueprints (
    id          text PRIMARY KEY,
    project     text NOT NULL,
    name        text NOT NULL,
    latest      bigint NOT NULL,
    description text NOT NULL,
    created_at  bigint NOT NULL,
    updated_at  bigint NOT NULL,
    version     bigint NOT NULL,
    UNIQUE (project, name)
);
CREATE INDEX blueprints_name ON blueprints (name, id);

CREATE TABLE blueprint_versions (
    entry_id          text NOT NULL REFERENCES blueprints (id),
    number            bigint NOT NULL,
    author            text NOT NULL,
    message           text NOT NULL,
    source_repository text NOT NULL,
    source_ref        text NOT NULL,
    source_commit     text NOT NULL,
    source_path       text NOT NULL,
    digest            text NOT NULL,
    created_at        bigint NOT NULL,
    content           bytea NOT NULL,
    blueprint         text NOT NULL,
    PRIMARY KEY (entry_id, number)
);

CREATE TABLE blueprint_uses (
    environment_id text PRIMARY KEY REFERENCES environments (id),
    entry_id       text NOT NULL REFERENCES blueprints (id),
    number         bigint NOT NULL,
    follow         boolean NOT NULL,
    stack          text NOT NULL
);
CREATE INDEX blueprint_uses_entry ON blueprint_uses (entry_id, environment_id);

CREATE TABLE plans (
    id               text PRIMARY KEY,
    environment_id   text NOT NULL, -- empty for a create
    rendering_digest text REFERENCES renderings (digest),
    created_at       bigint NOT NULL,
    expires_at       bigint NOT NULL,
    applied_at       bigint NOT NULL,
    applied_revision bigint NOT NULL,
    content          bytea NOT NULL
);
CREATE INDEX plans_environment ON plans (environment_id, id);
CREATE INDEX plans_rendering ON plans (rendering_digest);
CREATE INDEX plans_open ON plans (expires_at) WHERE applied_at = 0;

CREATE TABLE holds (
    environment_id text NOT NULL REFERENCES environments (id),
    kind           text NOT NULL,
    name           text NOT NULL,
    value          text NOT NULL,
    held_by        text NOT NULL,
    reason         text NOT NULL,
    since          bigint NOT NULL,
    PRIMARY KEY (environment_id, kind, name, value)
);

CREATE TABLE policies (
    id         text PRIMARY KEY,
    project    text NOT NULL,
    name       text NOT NULL,
    rules      text NOT NULL,
    author     text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version    bigint NOT NULL,
    UNIQUE (project, name)
);

CREATE TABLE signing_keys (
    id         text PRIMARY KEY,
    public     bytea NOT NULL,
    created_at bigint NOT NULL
);

-- +goose Down
DROP TABLE signing_keys;
DROP TABLE policies;
DROP TABLE holds;
DROP TABLE plans;
DROP TABLE blueprint_uses;
DROP TABLE blueprint_versions;
DROP TABLE blueprints;
DROP TABLE config_uses;
DROP TABLE config_versions;
DROP TABLE config_sets;
DROP INDEX revisions_digest;
ALTER TABLE revisions DROP COLUMN settings;
ALTER TABLE revisions DROP COLUMN restored_from;
ALTER TABLE revisions DROP COLUMN plan;
ALTER TABLE revisions DROP COLUMN demand_storage;
ALTER TABLE revisions DROP COLUMN demand_pods;
ALTER TABLE revisions DROP COLUMN demand_memory;
ALTER TABLE revisions DROP COLUMN demand_cpu;
ALTER TABLE revisions DROP COLUMN inputs;
DROP INDEX environments_live_usage;
ALTER TABLE environments DROP COLUMN drift_since;
ALTER TABLE environments DROP COLUMN drift;
ALTER TABLE environments DROP COLUMN demand_storage;
ALTER TABLE environments DROP COLUMN demand_pods;
ALTER TABLE environments DROP COLUMN demand_memory;
ALTER TABLE environments DROP COLUMN demand_cpu;
ALTER TABLE environments DROP COLUMN kind;
ALTER TABLE projects DROP COLUMN version;
ALTER TABLE projects DROP COLUMN quota;
