// Package store is the record: projects, environments, revisions, plans, holds, the ledger, config sets, the blueprints of the catalogue, policies,
// repositories with their deliveries and pull requests, subscriptions with their notices, events, audit, idempotency keys, users with what proves who they
// are, memberships, sessions, API tokens, OAuth and public keys, on SQLite or PostgreSQL.
//
// It owns all SQL but that of the jobs, the migrations, and the conflicts that only a database can tell. It does not own the rules of a noun
// (internal/blueberry), when anything is written (the activities) or the work that follows (jobs: an enqueuer is given to it).
//
// Invariant: an event becomes visible in the order of its Seq. Who has read up to Seq n never misses an event at or below n.
package store
