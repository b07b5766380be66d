-- Targets that people register, and what the life of an environment leaves in the record: sleep and use, warnings and pins of its lease, why it is not
-- ready, receipts and archives, what sweeps have done, and what is on a target without being in the record.
--
-- Both databases read this file; migration 10 has PostgreSQL sort some of it by bytes, and fills environment_hosts. The version before this one inserts
-- and updates without the new columns, so each has a default.
--
-- Locks: the columns are added without touching a row, and no index of a table that is there is made.

-- +goose Up
ALTER TABLE environments ADD COLUMN pinned_by text NOT NULL DEFAULT '';
ALTER TABLE environments ADD COLUMN lease_warned bigint NOT NULL DEFAULT 0; -- microseconds before the end
ALTER TABLE environments ADD COLUMN sleep text NOT NULL DEFAULT '{}';
ALTER TABLE environments ADD COLUMN cause text NOT NULL DEFAULT '';
ALTER TABLE environments ADD COLUMN held_by text NOT NULL DEFAULT '';
ALTER TABLE ledger ADD COLUMN made_at bigint NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN max_pin_hours bigint NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN sleep text NOT NULL DEFAULT '{}';

CREATE TABLE targets (
    name                 text PRIMARY KEY,
    driver               text NOT NULL,
    domain               text NOT NULL,
    region               text NOT NULL,
    state                text NOT NULL,
    reason               text NOT NULL,
    kubeconfig           bytea, -- encrypted
    kubeconfig_file      text NOT NULL,
    context              text NOT NULL,
    argo_namespace       text NOT NULL,
    argo_kubeconfig      bytea, -- encrypted
    argo_kubeconfig_file text NOT NULL,
    argo_repository      text NOT NULL,
    argo_destination     text NOT NULL,
    gateway              text NOT NULL,
    capacity             text NOT NULL, -- empty: what the target says itself
    configured           boolean NOT NULL,
    created_at           bigint NOT NULL,
    updated_at           bigint NOT NULL,
    version              bigint NOT NULL,
    removed              boolean NOT NULL -- environments name their target, so the row outlives it: nobody adds to one that has just been removed
);

-- One row, counted up with each write of a target.
CREATE TABLE targets_epoch (
    id    bigint PRIMARY KEY,
    epoch bigint NOT NULL
);
INSERT INTO targets_epoch (id, epoch) VALUES (1, 0);

-- Hosts of environments that are not terminated.
CREATE TABLE environment_hosts (
    host           text NOT NULL,
    environment_id text NOT NULL REFERENCES environments (id),
    PRIMARY KEY (host, environment_id)
);
CREATE INDEX environment_hosts_environment ON environment_hosts (environment_id);

CREATE TABLE activity (
    environment_id text PRIMARY KEY REFERENCES environments (id),
    at             bigint NOT NULL
);

CREATE TABLE wake_entries (
    environment_id text NOT NULL REFERENCES environments (id),
    seq            bigint NOT NULL,
    asleep         boolean NOT NULL,
    why            text NOT NULL,
    actor          text NOT NULL,
    detail         text NOT NULL,
    at             bigint NOT NULL,
    PRIMARY KEY (environment_id, seq)
);

CREATE TABLE receipts (
    environment_id text PRIMARY KEY REFERENCES environments (id),
    content        bytea NOT NULL
);

-- An archive may outlive the row of its environment.
CREATE TABLE archives (
    environment_id text PRIMARY KEY,
    project        text NOT NULL,
    environment    text NOT NULL,
    state          text NOT NULL,
    archived_at    bigint NOT NULL,
    logs_until     bigint NOT NULL,
    purge_at       bigint NOT NULL,
    content        bytea NOT NULL
);
CREATE INDEX archives_newest ON archives (archived_at, environment_id);
CREATE INDEX archives_logs ON archives (logs_until, environment_id) WHERE logs_until > 0;
CREATE INDEX archives_purge ON archives (purge_at, environment_id) WHERE purge_at > 0;

CREATE TABLE retention (
    rule     text PRIMARY KEY,
    next_run bigint NOT NULL,
    began    bigint NOT NULL, -- 0 before the first run has ended
    ended    bigint NOT NULL,
    removed  bigint NOT NULL,
    detail   text NOT NULL,
    error    text NOT NULL
);

CREATE TABLE orphans (
    id          text PRIMARY KEY,
    target      text NOT NULL,
    kind        text NOT NULL,
    namespace   text NOT NULL,
    project     text NOT NULL,
    environment text NOT NULL,
    objects     text NOT NULL,
    message     text NOT NULL,
    found_at    bigint NOT NULL,
    seen_at     bigint NOT NULL,
    approved_by text NOT NULL,
    approved_at bigint NOT NULL,
    leftovers   text NOT NULL,
    UNIQUE (target, kind, namespace, project, environment)
);

-- +goose Down
DROP TABLE orphans;
DROP TABLE retention;
DROP TABLE archives;
DROP TABLE receipts;
DROP TABLE wake_entries;
DROP TABLE activity;
DROP TABLE environment_hosts;
DROP TABLE targets_epoch;
DROP TABLE targets;
ALTER TABLE projects DROP COLUMN sleep;
ALTER TABLE projects DROP COLUMN max_pin_hours;
ALTER TABLE ledger DROP COLUMN made_at;
ALTER TABLE environments DROP COLUMN held_by;
ALTER TABLE environments DROP COLUMN cause;
ALTER TABLE environments DROP COLUMN sleep;
ALTER TABLE environments DROP COLUMN lease_warned;
ALTER TABLE environments DROP COLUMN pinned_by;
