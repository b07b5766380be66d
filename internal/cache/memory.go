package cache

import (
	"context"
	"hash/maphash"
	"sync"
	"time"
)

const (
	shards     = 64          // so that calls on different keys seldom wait for one another
	maxKeys    = 1 << 17     // of all shards; about 20 MB when every key is an address
	sweepEvery = time.Minute // at which a shard forgets its idle keys
	sample     = 8           // keys that are compared for the one to forget when a shard is full
)

// memory counts in this process.
type memory struct {
	seed   maphash.Seed
	shards [shards]shard
	most   int // keys of a shard
}

type shard struct {
	mu    sync.Mutex
	whole map[string]time.Time // when the quota of a key is whole again
	swept time.Time
}

// NewMemory gives a limiter that counts in this process alone.
func NewMemory() Limiter { return newMemory(maxKeys) }

func newMemory(keys int) *memory {
	m := &memory{seed: maphash.MakeSeed(), most: max(keys/shards, 1)}
	for i := range m.shards {
		m.shards[i].whole = map[string]time.Time{}
	}
	return m
}

// Allow counts a call.
func (m *memory) Allow(_ context.Context, key string, l Limit, now time.Time) (Verdict, error) {
	if l.Off() {
		return Verdict{OK: true}, nil
	}
	s := &m.shards[maphash.String(m.seed, key)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	whole, known := s.whole[key]
	if !known && len(s.whole) >= m.most {
		s.forgetOne()
	}
	next, v := l.take(whole, now)
	s.whole[key] = next
	return v, nil
}

// sweep forgets the keys whose quota is whole: one that is not known is the same.
func (s *shard) sweep(now time.Time) {
	if now.Sub(s.swept) < sweepEvery && !now.Before(s.swept) {
		return
	}
	s.swept = now
	for key, whole := range s.whole {
		if !whole.After(now) {
			delete(s.whole, key)
		}
	}
}

// forgetOne makes room. It takes the key of a few that owes least: whoever floods the shard with new keys does not free the one that is refused.
func (s *shard) forgetOne() {
	var least string
	n := 0
	for key, whole := range s.whole {
		if n == 0 || whole.Before(s.whole[least]) {
			least = key
		}
		if n++; n == sample {
			break
		}
	}
	delete(s.whole, least)
}

// size is how many keys are known.
func (m *memory) size() int {
	n := 0
	for i := range m.shards {
		m.shards[i].mu.Lock()
		n += len(m.shards[i].whole)
		m.shards[i].mu.Unlock()
	}
	return n
}
