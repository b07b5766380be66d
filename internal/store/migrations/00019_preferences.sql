-- What people want to be told of themselves.
--
-- Both databases read this file. How it reaches them are subscriptions with the id of a user in place of a project: no event is of such a project, so the version
-- before this one makes no notices of them. That version leaves them behind when it deletes a user; nothing is sent to who is no user. It shows their names and
-- origins to who may read every subscription.
--
-- Locks: the reference lets nobody write users for the moment of its making.

-- +goose Up
CREATE TABLE preferences (
    user_id    text PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    is_off     boolean NOT NULL,
    events     text NOT NULL,
    by_mail    boolean NOT NULL,
    channel    text NOT NULL,
    quiet      text NOT NULL,
    muted      text NOT NULL,
    updated_at bigint NOT NULL,
    version    bigint NOT NULL
);
CREATE INDEX subscriptions_project ON subscriptions (project, id);

-- +goose Down
DROP INDEX subscriptions_project;
DROP TABLE preferences;
