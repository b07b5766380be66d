package roomstest

import (
	"context"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// Receivers is everyone to whom subscriptions send: they answer as the test wants, and 200 before it says so.
type Receivers struct {
	mu     sync.Mutex
	status int
	got    []notify.Parcel
}

// Answer has all of them answer with a status of HTTP from now on.
func (r *Receivers) Answer(status int) { r.mu.Lock(); defer r.mu.Unlock(); r.status = status }

// Got gives what was sent so far.
func (r *Receivers) Got() []notify.Parcel {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]notify.Parcel{}, r.got...)
}

// Send implements notify.Sender.
func (r *Receivers) Send(_ context.Context, p notify.Parcel) blueberry.NoticeResult {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, p)
	if r.status == 0 {
		return blueberry.NoticeResult{Status: 200}
	}
	return blueberry.NoticeResult{Status: r.status}
}

func (r *Rooms) openSubscriptions(s *storetest.Store) {
	r.Receivers = &Receivers{}
	r.Subscriptions = &notify.Subscriptions{
		Record: record[notify.Tx]{s, func(tx *store.Tx) notify.Tx { return tx }}, Seal: r.keyset, PublicURL: PublicURL, Now: time.Now, People: r.Gate,
		Senders: map[blueberry.SubscriptionKind]notify.Sender{},
	}
	for _, kind := range blueberry.SubscriptionKinds() {
		r.Subscriptions.Senders[kind] = r.Receivers
	}
}
