-- Commands in comments below pull requests.
--
-- Both databases read this file. The version before this one knows nothing of the table: with a repository that it removes, the commands stay behind, and nothing
-- refers to them. Ids are made of digits and lower-case letters behind one prefix, which every collation of PostgreSQL sorts alike.
--
-- Locks: no table that is there is changed.

-- +goose Up
CREATE TABLE pull_commands (
    id            text PRIMARY KEY,
    repository_id text NOT NULL,
    project       text NOT NULL,
    pull_id       text NOT NULL,
    delivery_id   text NOT NULL,
    comment_id    text NOT NULL, -- as the host calls it
    line          bigint NOT NULL,
    author        text NOT NULL,
    author_name   text NOT NULL,
    verb          text NOT NULL,
    arguments     text NOT NULL, -- JSON
    fault         text NOT NULL,
    outcome       text NOT NULL,
    silent        boolean NOT NULL,
    began         text NOT NULL,
    answer        text NOT NULL,
    answer_id     text NOT NULL,
    answered      text NOT NULL,
    created_at    bigint NOT NULL,
    updated_at    bigint NOT NULL,
    UNIQUE (repository_id, comment_id, line)
);
CREATE INDEX pull_commands_pull ON pull_commands (pull_id, id);

-- +goose Down
DROP TABLE pull_commands;
