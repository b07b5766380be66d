package cache

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

const firstPause = 10 * time.Millisecond // before a broken subscription is made again

// Publish wakes everyone: those in this process also while Redis is away.
func (r *redis) Publish(ctx context.Context, topic string) error {
	_ = r.local.Publish(ctx, topic) // never fails
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	client, err := r.connected(ctx)
	if err == nil {
		err = client.Do(ctx, client.B().Publish().Channel(prefix+topic).Message("").Build()).Error()
	}
	if err != nil {
		return fmt.Errorf("publish %s: %w", topic, err)
	}
	return nil
}

// Subscribe follows a topic, here and through Redis.
func (r *redis) Subscribe(ctx context.Context, topic string) <-chan struct{} {
	c := r.local.follow(ctx, topic)
	go r.listen(ctx, topic)
	return c
}

// listen passes on what others publish, and comes back after each break. Whatever was missed meanwhile is made up for by the wake-up that follows each
// confirmed subscription.
func (r *redis) listen(ctx context.Context, topic string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(r.ctx, cancel)()
	again := func() { _ = r.local.Publish(ctx, topic) }
	var confirmed atomic.Bool
	hooked := rueidis.WithOnSubscriptionHook(ctx, func(s rueidis.PubSubSubscription) {
		if s.Kind == "subscribe" {
			confirmed.Store(true)
			again()
		}
	})
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, rest) {
		if client, err := r.connected(ctx); err == nil {
			err = client.Receive(hooked, client.B().Subscribe().Channel(prefix+topic).Build(), func(rueidis.PubSubMessage) { again() })
			if ctx.Err() == nil {
				r.logger.Debug("Redis subscription broke", "topic", topic, "error", err)
			}
			if confirmed.Swap(false) {
				pause = firstPause
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}
