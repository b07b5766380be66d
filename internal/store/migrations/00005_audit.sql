-- Both databases read this file. It only adds, so that the version before can go on writing: what it leaves out has the default. The names "before" and
-- "after" are words of SQL and are quoted.

-- +goose Up
ALTER TABLE audit ADD COLUMN user_id text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN on_behalf_of text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN credential text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN emergency text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN project text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN "before" text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN "after" text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN result text NOT NULL DEFAULT 'succeeded';
ALTER TABLE audit ADD COLUMN request_id text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN address text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN user_agent text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN route text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN seq bigint NOT NULL DEFAULT 0;
ALTER TABLE audit ADD COLUMN prev text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN hash text NOT NULL DEFAULT '';

-- An id holds the time in milliseconds and sorts by it, so an index with the id serves the order of a list and its bounds of time.
CREATE INDEX audit_actor_id ON audit (actor_id, id);
CREATE INDEX audit_actor_name ON audit (actor_name, id);
CREATE INDEX audit_user ON audit (user_id, id);
CREATE INDEX audit_behalf ON audit (on_behalf_of, id);
CREATE INDEX audit_action ON audit (action, id);
CREATE INDEX audit_project ON audit (project, id);
CREATE INDEX audit_request ON audit (request_id, id);
CREATE INDEX audit_unsealed ON audit (id) WHERE seq = 0;
CREATE UNIQUE INDEX audit_seq ON audit (seq) WHERE seq > 0;

-- One row: whoever seals locks it until commit, so that the chain has one end.
CREATE TABLE audit_head (
    id   bigint PRIMARY KEY,
    seq  bigint NOT NULL,
    hash text NOT NULL
);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TABLE audit_checkpoints (
    seq       bigint PRIMARY KEY,
    hash      text NOT NULL,
    at        bigint NOT NULL,
    key_id    text NOT NULL,
    signature bytea NOT NULL
);

CREATE TABLE audit_archives (
    first_seq   bigint PRIMARY KEY,
    last_seq    bigint NOT NULL UNIQUE,
    name        text NOT NULL UNIQUE,
    first_prev  text NOT NULL,
    last_hash   text NOT NULL,
    from_at     bigint NOT NULL,
    to_at       bigint NOT NULL,
    entries     bigint NOT NULL,
    digest      text NOT NULL,
    archived_at bigint NOT NULL
);
CREATE INDEX audit_archives_to ON audit_archives (to_at, first_seq);

CREATE TABLE platform_secrets (
    name       text PRIMARY KEY,
    version    bigint NOT NULL,
    value      bytea NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);

-- What only the right keyset opens.
CREATE TABLE keyset_canary (
    name       text PRIMARY KEY,
    value      bytea NOT NULL,
    created_at bigint NOT NULL
);

-- +goose Down
DROP TABLE keyset_canary;
DROP TABLE platform_secrets;
DROP TABLE audit_archives;
DROP TABLE audit_checkpoints;
DROP TABLE audit_head;
DROP INDEX audit_seq;
DROP INDEX audit_unsealed;
DROP INDEX audit_request;
DROP INDEX audit_project;
DROP INDEX audit_action;
DROP INDEX audit_behalf;
DROP INDEX audit_user;
DROP INDEX audit_actor_name;
DROP INDEX audit_actor_id;
ALTER TABLE audit DROP COLUMN hash;
ALTER TABLE audit DROP COLUMN prev;
ALTER TABLE audit DROP COLUMN seq;
ALTER TABLE audit DROP COLUMN route;
ALTER TABLE audit DROP COLUMN user_agent;
ALTER TABLE audit DROP COLUMN address;
ALTER TABLE audit DROP COLUMN request_id;
ALTER TABLE audit DROP COLUMN result;
ALTER TABLE audit DROP COLUMN "after";
ALTER TABLE audit DROP COLUMN "before";
ALTER TABLE audit DROP COLUMN project;
ALTER TABLE audit DROP COLUMN emergency;
ALTER TABLE audit DROP COLUMN credential;
ALTER TABLE audit DROP COLUMN on_behalf_of;
ALTER TABLE audit DROP COLUMN user_id;
