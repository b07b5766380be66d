-- Both databases read this file. Times are microseconds since 1970 in UTC, 0 for none: one type, one order and one precision on both.
-- bytea is PostgreSQL's word; SQLite takes any.

-- +goose Up
CREATE TABLE projects (
    name          text PRIMARY KEY,
    cluster_kinds text NOT NULL,
    created_at    bigint NOT NULL
);

CREATE TABLE environments (
    id                text PRIMARY KEY,
    project           text NOT NULL REFERENCES projects (name),
    name              text NOT NULL,
    namespace         text NOT NULL,
    target            text NOT NULL,
    owner             text NOT NULL,
    source_repository text NOT NULL,
    source_ref        text NOT NULL,
    source_commit     text NOT NULL,
    source_path       text NOT NULL,
    request_key       text NOT NULL,
    phase             text NOT NULL,
    phase_since       bigint NOT NULL,
    reason            text NOT NULL,
    message           text NOT NULL,
    conditions        text NOT NULL,
    expires_at        bigint NOT NULL,
    revision          bigint NOT NULL,
    synced            bigint NOT NULL,
    git_commit        text NOT NULL,
    hosts             text NOT NULL,
    deadline_at       bigint NOT NULL,
    created_at        bigint NOT NULL,
    updated_at        bigint NOT NULL,
    terminated_at     bigint NOT NULL,
    version           bigint NOT NULL,
    search            text NOT NULL
);
CREATE UNIQUE INDEX environments_live_name ON environments (project, name) WHERE phase <> 'terminated';
CREATE UNIQUE INDEX environments_live_namespace ON environments (target, namespace) WHERE phase <> 'terminated';
CREATE INDEX environments_live_id ON environments (target, id) WHERE phase <> 'terminated';
CREATE INDEX environments_live_created ON environments (created_at, id) WHERE phase <> 'terminated';
CREATE INDEX environments_live_updated ON environments (updated_at, id) WHERE phase <> 'terminated';
CREATE INDEX environments_live_expires ON environments (expires_at, id) WHERE phase <> 'terminated';
CREATE INDEX environments_live_by_name ON environments (name, id) WHERE phase <> 'terminated';
CREATE INDEX environments_live_phase ON environments (phase, id) WHERE phase <> 'terminated';
CREATE INDEX environments_request_key ON environments (request_key) WHERE request_key <> '';
CREATE INDEX environments_created ON environments (created_at, id);
CREATE INDEX environments_due ON environments (deadline_at, id) WHERE deadline_at > 0;

CREATE TABLE renderings (
    digest     text PRIMARY KEY,
    content    bytea NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE revisions (
    environment_id    text NOT NULL REFERENCES environments (id),
    number            bigint NOT NULL,
    id                text NOT NULL UNIQUE,
    author            text NOT NULL,
    reason            text NOT NULL,
    source_repository text NOT NULL,
    source_ref        text NOT NULL,
    source_commit     text NOT NULL,
    source_path       text NOT NULL,
    blueprint         text NOT NULL,
    digest            text NOT NULL REFERENCES renderings (digest),
    git_commit        text NOT NULL,
    created_at        bigint NOT NULL,
    PRIMARY KEY (environment_id, number)
);

CREATE TABLE ledger (
    environment_id text NOT NULL REFERENCES environments (id),
    api_version    text NOT NULL,
    kind           text NOT NULL,
    namespace      text NOT NULL,
    name           text NOT NULL,
    component      text NOT NULL,
    wave           bigint NOT NULL,
    revision       bigint NOT NULL,
    gone_at        bigint NOT NULL,
    PRIMARY KEY (environment_id, api_version, kind, namespace, name)
);

-- One row: whoever adds an event locks it until commit, so the order of seq is the order of commits.
CREATE TABLE event_seq (
    id  bigint PRIMARY KEY,
    seq bigint NOT NULL
);
INSERT INTO event_seq (id, seq) VALUES (1, 0);

CREATE TABLE events (
    seq            bigint PRIMARY KEY,
    id             text NOT NULL UNIQUE,
    type           text NOT NULL,
    environment_id text NOT NULL,
    project        text NOT NULL,
    environment    text NOT NULL,
    actor          text NOT NULL,
    message        text NOT NULL,
    at             bigint NOT NULL
);
CREATE INDEX events_environment ON events (environment_id, seq);

CREATE TABLE audit (
    id           text PRIMARY KEY,
    actor_kind   text NOT NULL,
    actor_id     text NOT NULL,
    actor_name   text NOT NULL,
    actor_grants text NOT NULL,
    action       text NOT NULL,
    resource     text NOT NULL,
    detail       text NOT NULL,
    at           bigint NOT NULL
);
CREATE INDEX audit_resource ON audit (resource, id);

CREATE TABLE idempotency_keys (
    actor          text NOT NULL,
    key            text NOT NULL,
    request_digest text NOT NULL,
    status         bigint NOT NULL,
    header         text NOT NULL,
    body           bytea NOT NULL,
    created_at     bigint NOT NULL,
    PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

CREATE TABLE api_tokens (
    id           text PRIMARY KEY,
    name         text NOT NULL,
    hash         bytea NOT NULL UNIQUE,
    grants       text NOT NULL,
    created_at   bigint NOT NULL,
    expires_at   bigint NOT NULL,
    last_used_at bigint NOT NULL
);

-- +goose Down
DROP TABLE api_tokens;
DROP TABLE idempotency_keys;
DROP TABLE audit;
DROP TABLE events;
DROP TABLE event_seq;
DROP TABLE ledger;
DROP TABLE revisions;
DROP TABLE renderings;
DROP TABLE environments;
DROP TABLE projects;
