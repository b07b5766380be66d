-- Repositories whose pull requests bring their own environments, what their hosts have delivered, and the pull requests.
--
-- Both databases read this file; migration 12 has PostgreSQL sort the ids by bytes. The version before this one knows nothing of these tables: a project
-- that it removes leaves its repositories behind, as its row.
--
-- Locks: no table that is there is changed. The reference to projects lets nobody write that table, which has some hundred rows, for the moment of its making.

-- +goose Up
CREATE TABLE repositories (
    id               text PRIMARY KEY,
    project          text NOT NULL REFERENCES projects (name),
    name             text NOT NULL,
    host             text NOT NULL,
    url              text NOT NULL,
    secrets          bytea, -- encrypted
    policy           text NOT NULL,
    last_delivery_at bigint NOT NULL,
    last_refused_at  bigint NOT NULL,
    created_at       bigint NOT NULL,
    updated_at       bigint NOT NULL,
    version          bigint NOT NULL,
    UNIQUE (project, name)
);

-- Of the deliveries that count, a repository has one of an id of its host, and one of a digest. Those that do not count are NULL in both, which is like
-- nothing else.
CREATE TABLE deliveries (
    id            text PRIMARY KEY,
    repository_id text NOT NULL REFERENCES repositories (id),
    project       text NOT NULL,
    host          text NOT NULL,
    host_id       text NOT NULL,
    digest        text NOT NULL,
    event         text NOT NULL,
    action        text NOT NULL,
    size          bigint NOT NULL, -- bytes of the body as it came
    verdict       text NOT NULL,
    reason        text NOT NULL,
    pull_id       text NOT NULL,
    replay_of     text NOT NULL,
    caller        text NOT NULL,
    received_at   bigint NOT NULL,
    once_id       text, -- SHA-256 of host_id, in hex: an index takes no text of any length
    once_digest   text,
    headers       text NOT NULL,
    body          bytea NOT NULL, -- gzip, or nothing; last: SQLite reads a row up to the column that is asked for
    UNIQUE (repository_id, once_id),
    UNIQUE (repository_id, once_digest)
);
CREATE INDEX deliveries_repository ON deliveries (repository_id, id);
CREATE INDEX deliveries_pull ON deliveries (pull_id, id);
CREATE INDEX deliveries_received ON deliveries (received_at, id);

CREATE TABLE pulls (
    id             text PRIMARY KEY,
    repository_id  text NOT NULL REFERENCES repositories (id),
    project        text NOT NULL,
    number         bigint NOT NULL,
    title          text NOT NULL,
    url            text NOT NULL,
    author         text NOT NULL,
    relation       text NOT NULL,
    bot            boolean NOT NULL,
    draft          boolean NOT NULL,
    labels         text NOT NULL,
    state          text NOT NULL,
    head_ref       text NOT NULL,
    head_commit    text NOT NULL,
    head_url       text NOT NULL,
    head_repo      text NOT NULL,
    base_repo      text NOT NULL,
    base_ref       text NOT NULL,
    host_at        bigint NOT NULL,
    outcome        text NOT NULL,
    message        text NOT NULL,
    environment_id text NOT NULL, -- empty for none; it outlives the row of the environment
    built_commit   text NOT NULL,
    turn           bigint NOT NULL,
    created_at     bigint NOT NULL,
    updated_at     bigint NOT NULL,
    version        bigint NOT NULL,
    UNIQUE (repository_id, number)
);
CREATE INDEX pulls_repository ON pulls (repository_id, id);
CREATE INDEX pulls_state ON pulls (repository_id, state, id);
CREATE INDEX pulls_outcome ON pulls (repository_id, outcome, id);

-- +goose Down
DROP TABLE pulls;
DROP TABLE deliveries;
DROP TABLE repositories;
