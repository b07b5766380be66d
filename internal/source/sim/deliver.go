package sim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	maxQueue   = 10000 // webhooks that wait for one hook
	maxResults = 100   // of a hook that are kept
)

// States of a delivery.
const (
	waiting   = "waiting"
	delivered = "delivered"
	failed    = "failed"
	dropped   = "dropped" // by a fault on purpose
)

// delivery is one webhook to one hook.
type delivery struct {
	ID       string    `json:"id"`
	Event    string    `json:"event"`
	Kind     string    `json:"kind"` // the event more exactly: pull_request_sync
	Action   string    `json:"action,omitempty"`
	Body     []byte    `json:"body,omitempty"` // while it waits
	State    string    `json:"state"`
	Held     time.Time `json:"held,omitzero"` // until then it lets others pass
	Attempts int       `json:"attempts,omitempty"`
	Status   int       `json:"status,omitempty"`
	Error    string    `json:"error,omitempty"`
	Created  time.Time `json:"created"`
	Ended    time.Time `json:"ended,omitzero"`
}

// enqueue has what happened sent to the hooks of a repository that asked for it. It is called while the state is being changed, so that the change and the
// webhooks are kept together.
func (h *Host) enqueue(s *state, r *repository, event, kind, action string, payload any) {
	body, err := json.MarshalIndent(payload, "", "  ")
	if err != nil {
		h.log.Error("cannot encode a webhook", "event", event, "error", err)
		return
	}
	for _, x := range r.Hooks {
		if !x.Active || !x.wants(kind) {
			continue
		}
		d := delivery{ID: uuid(), Event: event, Kind: kind, Action: action, Body: body, State: waiting, Created: h.now()}
		fate := h.faults.webhook()
		held := slices.IndexFunc(x.Queue, func(d delivery) bool { return !d.Held.IsZero() })
		switch {
		case fate == fateDrop:
			s.Totals.Dropped++
			h.end(x, d, dropped)
			continue
		case len(x.Queue) >= maxQueue:
			s.Totals.Failed++
			d.Error = fmt.Sprintf("%d webhooks wait already", maxQueue)
			h.end(x, d, failed)
			continue
		case fate == fateReorder && held < 0:
			s.Totals.Reordered++
			d.Held = time.Now().Add(h.faults.hold())
			time.AfterFunc(h.faults.hold(), h.nudge)
		}
		more := []delivery{d}
		if fate == fateDouble {
			s.Totals.Doubled++
			more = append(more, d)
		}
		if held < 0 {
			x.Queue = append(x.Queue, more...)
		} else { // it passes the one that is held
			x.Queue[held].Held = time.Time{}
			x.Queue = slices.Insert(x.Queue, held, more...)
		}
	}
}

// end keeps how a delivery ended.
func (h *Host) end(x *hook, d delivery, state string) {
	d.State, d.Body, d.Held, d.Ended = state, nil, time.Time{}, h.now()
	x.Results = append(x.Results, d)
	if n := len(x.Results) - maxResults; n > 0 {
		x.Results = slices.Delete(x.Results, 0, n)
	}
}

// uuid makes a random UUID.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// nudge has Run look for webhooks to send.
func (h *Host) nudge() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Run sends webhooks until ctx ends: to each hook one after another, to all at the same time. It then writes what is counted.
func (h *Host) Run(ctx context.Context) error {
	var senders sync.WaitGroup
	defer senders.Wait()
	h.nudge()
	for {
		select {
		case <-ctx.Done():
			senders.Wait()
			return h.change(func(*state) error { return nil }) // with the numbers of requests, which are not worth a write of their own
		case <-h.wake:
		}
		h.mu.Lock()
		for _, r := range h.state.Repositories {
			for _, x := range r.Hooks {
				if _, ok := x.next(); ok && !h.sending[x.ID] {
					h.sending[x.ID] = true
					senders.Go(func() { h.send(ctx, r.ID, x.ID) })
				}
			}
		}
		h.mu.Unlock()
	}
}

// next gives the place of the delivery that is to be sent.
func (x *hook) next() (int, bool) {
	for i, d := range x.Queue {
		if !d.Held.After(time.Now()) {
			return i, true
		}
	}
	return 0, false
}

// take gives the next delivery of a hook, and what is needed to send it; or notes that its queue is not being sent any more.
func (h *Host) take(repository, id int64) (hook, delivery, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.state.Repositories[repository]; r != nil {
		if x := r.hook(id); x != nil {
			if i, ok := x.next(); ok {
				return hook{URL: x.URL, ContentType: x.ContentType, Secret: x.Secret}, x.Queue[i], true
			}
		}
	}
	delete(h.sending, id)
	return hook{}, delivery{}, false
}

// send sends the queue of a hook until it is empty or ctx ends.
func (h *Host) send(ctx context.Context, repository, id int64) {
	for {
		to, d, ok := h.take(repository, id)
		if !ok {
			return
		}
		for ; ; d.Attempts++ {
			var err error
			if d.Status, err = h.post(ctx, to, d); err == nil {
				d.Error = ""
				break
			}
			d.Error = err.Error()
			if d.Attempts >= len(h.o.Retries) || !pause(ctx, h.o.Retries[d.Attempts]) {
				break
			}
		}
		if d.Error != "" && ctx.Err() != nil { // it is sent again at the next start
			h.mu.Lock()
			delete(h.sending, id)
			h.mu.Unlock()
			return
		}
		d.Attempts++
		if err := h.settle(repository, id, d); err != nil {
			h.log.Error("cannot keep how a webhook was sent", "delivery", d.ID, "error", err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// settle takes a delivery that was sent, or could not be, from the queue.
func (h *Host) settle(repository, id int64, d delivery) error {
	return h.change(func(s *state) error {
		x := s.Repositories[repository].hook(id)
		if x == nil { // it was deleted meanwhile
			return nil
		}
		if i := slices.IndexFunc(x.Queue, func(q delivery) bool { return q.ID == d.ID }); i >= 0 {
			x.Queue = slices.Delete(x.Queue, i, i+1)
		}
		if d.Error == "" {
			s.Totals.Delivered++
			h.end(x, d, delivered)
		} else {
			s.Totals.Failed++
			h.end(x, d, failed)
		}
		return nil
	})
}

// post sends a webhook once. The error says why it was not taken, without what is in the address of the hook.
func (h *Host) post(ctx context.Context, to hook, d delivery) (int, error) {
	body, kind := d.Body, "application/json"
	if to.ContentType == "form" {
		body, kind = []byte(url.Values{"payload": {string(d.Body)}}.Encode()), "application/x-www-form-urlencoded"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("the address cannot be asked")
	}
	signature := ""
	if to.Secret != "" {
		mac := hmac.New(sha256.New, []byte(to.Secret))
		mac.Write(d.Body)
		signature = hex.EncodeToString(mac.Sum(nil))
		req.Header.Set("X-Hub-Signature-256", "sha256="+signature)
	}
	for name, value := range map[string]string{
		"Content-Type": kind, "User-Agent": "blueberry-sim-host", "X-Gitea-Delivery": d.ID, "X-Gitea-Event": d.Event, "X-Gitea-Event-Type": d.Kind,
		"X-Gitea-Signature": signature,
	} {
		req.Header.Set(name, value)
	}
	res, err := h.o.Client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address
		}
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return res.StatusCode, fmt.Errorf("answered %d", res.StatusCode)
	}
	return res.StatusCode, nil
}
