-- +goose Up
CREATE TABLE certificates (
    serial     text PRIMARY KEY,
    name       text NOT NULL,
    not_before bigint NOT NULL,
    not_after  bigint NOT NULL,
    issued_by  text NOT NULL,
    revoked_at bigint NOT NULL,
    revoked_by text NOT NULL
);

-- +goose Down
DROP TABLE certificates;
