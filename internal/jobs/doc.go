// Package jobs is durable work: a job is added in the transaction that makes it needful, runs at least once after the commit, and is retried, snoozed,
// cancelled or buried where everybody can see it.
//
// It owns the queue (River's tables and machinery), the kinds that exist, retries, dead letters and the rescue of what a dead process left behind. It
// does not own what a job does (the activities) or the database (store): it is given a pool, and a transaction by whoever enqueues.
//
// Invariant: of one kind and subject at most one job is alive and at most one run is on its way; whatever is enqueued before a run has ended is seen by
// that run or by one after it.
package jobs
