-- Who may do what: users and how they prove who they are, projects' members, service accounts, sessions, API tokens of users, OAuth.
--
-- Both databases read this file; what of it PostgreSQL sorts by bytes is migration 7. The version before this one inserts projects and API tokens without
-- the new columns, so each has a default; to that version a deleted project is there still.
--
-- Locks: projects and api_tokens have some hundred rows each. The columns are added without touching one, and the indexes take no time to speak of.

-- +goose Up
ALTER TABLE projects ADD COLUMN description text NOT NULL DEFAULT '';
ALTER TABLE projects ADD COLUMN deleted_at bigint NOT NULL DEFAULT 0; -- history names its project, so the row outlives it

-- One row. Whoever changes anything that an authentication depends on counts it up, and so locks it until commit.
CREATE TABLE access_epoch (
    id    bigint PRIMARY KEY,
    epoch bigint NOT NULL
);
INSERT INTO access_epoch (id, epoch) VALUES (1, 0);

CREATE TABLE users (
    id                 text PRIMARY KEY,
    email              text NOT NULL UNIQUE,
    name               text NOT NULL,
    status             text NOT NULL,
    owner              boolean NOT NULL,
    break_glass        boolean NOT NULL,
    invitation_state   text NOT NULL,
    invitation_error   text NOT NULL,
    invitation_sent_at bigint NOT NULL,
    created_at         bigint NOT NULL,
    updated_at         bigint NOT NULL,
    last_seen_at       bigint NOT NULL,
    version            bigint NOT NULL,
    search             text NOT NULL
);
CREATE INDEX users_created ON users (created_at, id);
CREATE INDEX users_last_seen ON users (last_seen_at, id);

CREATE TABLE credentials (
    user_id             text PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    password            text NOT NULL,
    password_changed_at bigint NOT NULL,
    totp_secret         bytea, -- encrypted
    totp_confirmed_at   bigint NOT NULL,
    totp_step           bigint NOT NULL,
    recovery_codes      text NOT NULL,
    version             bigint NOT NULL
);

CREATE TABLE passkeys (
    id            text PRIMARY KEY,
    user_id       text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name          text NOT NULL,
    credential_id bytea NOT NULL UNIQUE,
    data          bytea NOT NULL,
    created_at    bigint NOT NULL,
    last_used_at  bigint NOT NULL
);
CREATE INDEX passkeys_user ON passkeys (user_id, id);

CREATE TABLE identity_providers (
    id              text PRIMARY KEY,
    name            text NOT NULL UNIQUE,
    kind            text NOT NULL,
    label           text NOT NULL,
    issuer          text NOT NULL,
    client_id       text NOT NULL,
    client_secret   bytea, -- encrypted
    scopes          text NOT NULL,
    groups_claim    text NOT NULL,
    allowed_domains text NOT NULL,
    sign_up         boolean NOT NULL,
    disabled        boolean NOT NULL,
    created_at      bigint NOT NULL,
    updated_at      bigint NOT NULL,
    version         bigint NOT NULL
);

CREATE TABLE identities (
    provider     text NOT NULL REFERENCES identity_providers (name) ON DELETE CASCADE ON UPDATE CASCADE,
    subject      text NOT NULL,
    user_id      text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email        text NOT NULL,
    group_names  text NOT NULL,
    linked_at    bigint NOT NULL,
    last_used_at bigint NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX identities_user ON identities (user_id, provider);

-- The groups of identities once more, so that the members of a project by group can be found.
CREATE TABLE identity_groups (
    provider   text NOT NULL,
    group_name text NOT NULL,
    subject    text NOT NULL,
    PRIMARY KEY (provider, group_name, subject),
    FOREIGN KEY (provider, subject) REFERENCES identities (provider, subject) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX identity_groups_subject ON identity_groups (provider, subject);

CREATE TABLE links (
    id         text PRIMARY KEY,
    kind       text NOT NULL,
    user_id    text NOT NULL, -- empty for the one that makes the first owner
    hash       bytea NOT NULL UNIQUE,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at    bigint NOT NULL
);
CREATE INDEX links_user ON links (user_id, kind);
CREATE INDEX links_expires ON links (expires_at);

-- An empty project means the installation.
CREATE TABLE group_rules (
    id         text PRIMARY KEY,
    provider   text NOT NULL REFERENCES identity_providers (name) ON DELETE CASCADE ON UPDATE CASCADE,
    group_name text NOT NULL,
    project    text NOT NULL,
    role       text NOT NULL,
    created_at bigint NOT NULL,
    UNIQUE (provider, group_name, project)
);
CREATE INDEX group_rules_project ON group_rules (project);

CREATE TABLE members (
    project    text NOT NULL REFERENCES projects (name),
    user_id    text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role       text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (project, user_id)
);
CREATE INDEX members_user ON members (user_id, project);

CREATE TABLE service_accounts (
    id          text PRIMARY KEY,
    project     text NOT NULL REFERENCES projects (name),
    name        text NOT NULL,
    description text NOT NULL,
    role        text NOT NULL,
    disabled    boolean NOT NULL,
    created_at  bigint NOT NULL,
    created_by  text NOT NULL,
    version     bigint NOT NULL,
    UNIQUE (project, name)
);

CREATE TABLE sessions (
    id           text PRIMARY KEY,
    hash         bytea NOT NULL UNIQUE,
    user_id      text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    method       text NOT NULL,
    address      text NOT NULL,
    user_agent   text NOT NULL,
    created_at   bigint NOT NULL,
    expires_at   bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    revoked_at   bigint NOT NULL,
    revoked_by   text NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE attempts (
    key          text PRIMARY KEY,
    failures     bigint NOT NULL,
    since        bigint NOT NULL,
    locked_until bigint NOT NULL
);
CREATE INDEX attempts_since ON attempts (since);

CREATE TABLE emergencies (
    id        text PRIMARY KEY,
    user_id   text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    reason    text NOT NULL,
    opened_at bigint NOT NULL,
    ends_at   bigint NOT NULL,
    closed_at bigint NOT NULL
);
CREATE INDEX emergencies_user ON emergencies (user_id, ends_at);

ALTER TABLE api_tokens ADD COLUMN user_id text NOT NULL DEFAULT ''; -- both empty for the installation's own, which was there before
ALTER TABLE api_tokens ADD COLUMN service_id text NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN projects text NOT NULL DEFAULT 'null';
ALTER TABLE api_tokens ADD COLUMN hint text NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN created_by text NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN revoked_at bigint NOT NULL DEFAULT 0;
ALTER TABLE api_tokens ADD COLUMN revoked_by text NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN previous_hash bytea;
ALTER TABLE api_tokens ADD COLUMN previous_until bigint NOT NULL DEFAULT 0;
ALTER TABLE api_tokens ADD COLUMN rotated_at bigint NOT NULL DEFAULT 0;
ALTER TABLE api_tokens ADD COLUMN warned bigint NOT NULL DEFAULT 0;
ALTER TABLE api_tokens ADD COLUMN version bigint NOT NULL DEFAULT 1;
CREATE INDEX api_tokens_previous ON api_tokens (previous_hash);
CREATE INDEX api_tokens_user ON api_tokens (user_id, id);
CREATE INDEX api_tokens_service ON api_tokens (service_id, id);

CREATE TABLE oauth_clients (
    id            text PRIMARY KEY,
    name          text NOT NULL,
    public        boolean NOT NULL,
    secret_hash   bytea,
    redirect_uris text NOT NULL,
    flows         text NOT NULL,
    grants        text NOT NULL,
    projects      text NOT NULL,
    trusted       boolean NOT NULL,
    disabled      boolean NOT NULL,
    created_at    bigint NOT NULL,
    created_by    text NOT NULL,
    last_used_at  bigint NOT NULL,
    version       bigint NOT NULL
);

CREATE TABLE oauth_tokens (
    hash         bytea PRIMARY KEY,
    id           text NOT NULL UNIQUE,
    kind         text NOT NULL,
    family       text NOT NULL,
    client_id    text NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    user_id      text NOT NULL, -- empty when the client acts for itself
    scopes       text NOT NULL,
    request      bytea,
    issued_at    bigint NOT NULL,
    expires_at   bigint NOT NULL,
    used_at      bigint NOT NULL,
    last_used_at bigint NOT NULL,
    revoked_at   bigint NOT NULL
);
CREATE INDEX oauth_tokens_family ON oauth_tokens (family, id);
CREATE INDEX oauth_tokens_client ON oauth_tokens (client_id, id);
CREATE INDEX oauth_tokens_user ON oauth_tokens (user_id, id);
CREATE INDEX oauth_tokens_expires ON oauth_tokens (expires_at);
CREATE INDEX oauth_tokens_revoked ON oauth_tokens (revoked_at) WHERE revoked_at > 0;

CREATE TABLE oauth_consents (
    user_id    text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id  text NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    scopes     text NOT NULL,
    granted_at bigint NOT NULL,
    PRIMARY KEY (user_id, client_id)
);
CREATE INDEX oauth_consents_client ON oauth_consents (client_id);

CREATE TABLE device_authorizations (
    id             text PRIMARY KEY,
    device_hash    bytea NOT NULL UNIQUE,
    user_code_hash bytea NOT NULL,
    client_id      text NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    scopes         text NOT NULL,
    address        text NOT NULL,
    user_agent     text NOT NULL,
    status         text NOT NULL,
    user_id        text NOT NULL, -- empty until someone decides
    created_at     bigint NOT NULL,
    expires_at     bigint NOT NULL,
    polled_at      bigint NOT NULL,
    poll_interval  bigint NOT NULL, -- microseconds
    version        bigint NOT NULL
);
CREATE UNIQUE INDEX device_authorizations_pending ON device_authorizations (user_code_hash) WHERE status = 'pending';
CREATE INDEX device_authorizations_code ON device_authorizations (user_code_hash, id);
CREATE INDEX device_authorizations_client ON device_authorizations (client_id);
CREATE INDEX device_authorizations_expires ON device_authorizations (expires_at);

-- +goose Down
DROP TABLE device_authorizations;
DROP TABLE oauth_consents;
DROP TABLE oauth_tokens;
DROP TABLE oauth_clients;
DROP INDEX api_tokens_service;
DROP INDEX api_tokens_user;
DROP INDEX api_tokens_previous;
ALTER TABLE api_tokens DROP COLUMN version;
ALTER TABLE api_tokens DROP COLUMN warned;
ALTER TABLE api_tokens DROP COLUMN rotated_at;
ALTER TABLE api_tokens DROP COLUMN previous_until;
ALTER TABLE api_tokens DROP COLUMN previous_hash;
ALTER TABLE api_tokens DROP COLUMN revoked_by;
ALTER TABLE api_tokens DROP COLUMN revoked_at;
ALTER TABLE api_tokens DROP COLUMN created_by;
ALTER TABLE api_tokens DROP COLUMN hint;
ALTER TABLE api_tokens DROP COLUMN projects;
ALTER TABLE api_tokens DROP COLUMN service_id;
ALTER TABLE api_tokens DROP COLUMN user_id;
DROP TABLE emergencies;
DROP TABLE attempts;
DROP TABLE sessions;
DROP TABLE service_accounts;
DROP TABLE members;
DROP TABLE group_rules;
DROP TABLE links;
DROP TABLE identity_groups;
DROP TABLE identities;
DROP TABLE identity_providers;
DROP TABLE passkeys;
DROP TABLE credentials;
DROP TABLE users;
DROP TABLE access_epoch;
ALTER TABLE projects DROP COLUMN deleted_at;
ALTER TABLE projects DROP COLUMN description;
