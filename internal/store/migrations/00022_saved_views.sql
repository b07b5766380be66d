-- Lists that people come back to.
--
-- Both databases read this file. The version before this one knows nothing of it; when it deletes a user, their views go with them.
--
-- Locks: the reference lets nobody write users for the moment of its making.

-- +goose Up
CREATE TABLE saved_views (
    user_id    text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       text NOT NULL,
    page       text NOT NULL,
    query      text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (user_id, name)
);

-- +goose Down
DROP TABLE saved_views;
