-- Who is told of events, and what was told to whom.
--
-- Both databases read this file. The version before this one knows nothing of these tables: a project that it removes leaves its subscriptions behind, and of
-- events it makes no notices. Ids are made of digits and lower-case letters behind one prefix, which every collation of PostgreSQL sorts alike.
--
-- Locks: no table that is there is changed.

-- +goose Up
CREATE TABLE subscriptions (
    id         text PRIMARY KEY,
    project    text NOT NULL, -- empty for the whole installation
    name       text NOT NULL,
    kind       text NOT NULL,
    events     text NOT NULL,
    endpoint   text NOT NULL,
    address    bytea, -- encrypted
    secrets    bytea, -- encrypted
    quiet      text NOT NULL,
    is_off     boolean NOT NULL,
    off_why    text NOT NULL,
    health     text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version    bigint NOT NULL,
    UNIQUE (project, name)
);

CREATE TABLE notices (
    id              text PRIMARY KEY,
    subscription_id text NOT NULL REFERENCES subscriptions (id),
    project         text NOT NULL,
    event_id        text NOT NULL,
    event_seq       bigint NOT NULL, -- 0 for that of a test
    event           text NOT NULL,
    state           text NOT NULL,
    tries           bigint NOT NULL,
    attempts        text NOT NULL,
    next_at         bigint NOT NULL,
    expires_at      bigint NOT NULL,
    created_at      bigint NOT NULL,
    ended_at        bigint NOT NULL,
    version         bigint NOT NULL,
    UNIQUE (subscription_id, event_id)
);
CREATE INDEX notices_due ON notices (subscription_id, state, next_at, event_seq, id);
CREATE INDEX notices_subscription ON notices (subscription_id, id);
CREATE INDEX notices_state ON notices (state, id);
CREATE INDEX notices_created ON notices (created_at, id);

-- +goose Down
DROP TABLE notices;
DROP TABLE subscriptions;
