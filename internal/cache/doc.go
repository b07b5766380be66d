// Package cache is what the replicas of a server share for a moment: how often someone has called, and that something has moved. It lives in this process's
// memory or in Redis.
//
// It owns the counting of rate limits and wake-ups without content. It does not own what is limited and how much, nor anything that must not be lost:
// the record is for that.
//
// Invariant: nobody waits for Redis longer than 100 ms, and nobody is refused because it is away: counting then goes on in memory, by each process for itself.
package cache
