package cache

import (
	"context"
	"sync"
)

// Bus carries wake-ups: that something has moved, not what. Several that come together are told as one, and none is kept for those who are not there.
type Bus interface {
	// Publish wakes everyone who follows the topic.
	Publish(ctx context.Context, topic string) error
	// Subscribe follows a topic until ctx ends, which closes the channel. There may be a wake-up more than was published: one follows each time when
	// others may have been missed.
	Subscribe(ctx context.Context, topic string) <-chan struct{}
}

// NewBus gives a bus within this process.
func NewBus() Bus { return &bus{} }

type bus struct {
	mu        sync.Mutex
	followers map[string]map[chan struct{}]struct{} // by topic
}

// Publish wakes the followers in this process.
func (b *bus) Publish(_ context.Context, topic string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.followers[topic] {
		wake(c)
	}
	return nil
}

// wake leaves a wake-up, unless there is one that was not taken yet.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Subscribe follows a topic.
func (b *bus) Subscribe(ctx context.Context, topic string) <-chan struct{} {
	return b.follow(ctx, topic)
}

func (b *bus) follow(ctx context.Context, topic string) chan struct{} {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.followers == nil {
		b.followers = map[string]map[chan struct{}]struct{}{}
	}
	if b.followers[topic] == nil {
		b.followers[topic] = map[chan struct{}]struct{}{}
	}
	b.followers[topic][c] = struct{}{}
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.followers[topic], c)
		if len(b.followers[topic]) == 0 {
			delete(b.followers, topic)
		}
		close(c)
	})
	return c
}
