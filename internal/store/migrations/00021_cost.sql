-- What targets cost, what environments ask for, and for how long they did.
--
-- Both databases read this file. The version before this one knows nothing of it: it leaves what an environment asks for as it is, so that the number of the revision
-- tells this one that it has moved, and its spans go on until this one writes it again. When that one removes an environment, its spans go with it.
--
-- Locks: the column is added without a look at the rows (PostgreSQL 11 and later keep a default apart); the rest is new tables.

-- +goose Up
-- What the desired revision asks for: JSON; empty for not known.
ALTER TABLE environments ADD COLUMN requests text NOT NULL DEFAULT '';

-- Prices, each from its moment on. None is ever changed, so that what was counted stays.
CREATE TABLE prices (
    target        text NOT NULL, -- empty: every target that has none of its own
    since         bigint NOT NULL,
    currency      text NOT NULL,
    cpu_hour      bigint NOT NULL, -- millionths of the currency, as all of them
    memory_hour   bigint NOT NULL,
    storage_month bigint NOT NULL,
    set_by        text NOT NULL,
    removed       boolean NOT NULL,
    PRIMARY KEY (target, since)
);

-- Spans of time in which an environment asked for the same.
CREATE TABLE cost_spans (
    environment_id text NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    seq            bigint NOT NULL,
    revision       bigint NOT NULL,
    asleep         boolean NOT NULL,
    parts          text NOT NULL, -- JSON
    began_at       bigint NOT NULL,
    ended_at       bigint NOT NULL, -- 0 while it goes on
    PRIMARY KEY (environment_id, seq)
);
-- One goes on at most, whatever happens.
CREATE UNIQUE INDEX cost_spans_open ON cost_spans (environment_id) WHERE ended_at = 0;

-- +goose Down
DROP TABLE cost_spans;
DROP TABLE prices;
ALTER TABLE environments DROP COLUMN requests;
