package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"time"
)

// streamSilence is how long a stream may say nothing before it is taken for dead: three of the server's heartbeats.
const streamSilence = 45 * time.Second

// WatchEvents gives events as they happen, each once and in order, from behind the seq after; environmentID may be empty for all. A stream
// that breaks is taken up where it ended. The sequence ends with the error that ends it: the cause of ctx, a *Problem, or an *UnreachableError
// when the server stayed away for longer than Patience.
func (c *Client) WatchEvents(ctx context.Context, environmentID string, after int64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		w := &watch{client: c, environmentID: environmentID, after: after, pause: time.Second, lost: time.Now()}
		for {
			stopped, err := w.once(ctx, yield)
			if stopped {
				return
			}
			if ctx.Err() != nil {
				yield(Event{}, context.Cause(ctx))
				return
			}
			if !w.again(err) {
				yield(Event{}, err)
				return
			}
			if c.OnRetry != nil && err != nil {
				c.OnRetry(err, w.wait())
			}
			if err := sleep(ctx, w.wait()); err != nil {
				yield(Event{}, err)
				return
			}
			w.failures++
		}
	}
}

// watch is one run of WatchEvents over all its streams.
type watch struct {
	client        *Client
	environmentID string
	after         int64
	pause         time.Duration // as the server asks
	failures      int           // since the last answer
	lost          time.Time     // when the last stream ended
	connected     bool          // there was a stream
}

// wait grows with the failures up to 5 s, so that a server that restarts is found again soon and one that is gone is not hammered.
func (w *watch) wait() time.Duration {
	return min(w.pause<<min(w.failures, 4), 5*time.Second)
}

// again tells whether a stream that ended with err is worth another.
func (w *watch) again(err error) bool {
	if !w.connected && w.failures >= len(w.client.waits()) {
		return false // the server may never have been there: fail as any call does
	}
	if time.Since(w.lost) > w.client.patience() {
		return err == nil
	}
	var p *Problem
	if errors.As(err, &p) {
		return p.Status >= 500 || p.Status == http.StatusTooManyRequests
	}
	var u *UnreachableError
	return err == nil || errors.As(err, &u)
}

// once reads one stream to its end; nil means that the server ended it in order. It reports whether the caller wants no more.
func (w *watch) once(ctx context.Context, yield func(Event, error) bool) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	quiet := time.AfterFunc(streamSilence, cancel)
	defer quiet.Stop()

	k := newCall(http.MethodGet, "events", "stream")
	k.header.Set("Accept", "text/event-stream, application/problem+json")
	k.header.Set("Cache-Control", "no-store")
	k.set("environment", w.environmentID)
	k.setInt("after", w.after)
	res, err := w.client.send(ctx, k, nil)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	if res.StatusCode >= 400 {
		data, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		return false, readProblem(res, data)
	}
	w.failures, w.connected = 0, true
	defer func() { w.lost = time.Now() }()
	in := newMessages(alive{res.Body, func() { quiet.Reset(streamSilence) }})
	for {
		m, err := in.next()
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case errors.Is(err, errMessageTooLong):
			return false, err
		case err != nil:
			return false, &UnreachableError{URL: w.client.BaseURL, Err: err}
		}
		if m.retry > 0 {
			w.pause = m.retry
		}
		if m.data == "" {
			continue
		}
		var e Event
		if err := json.Unmarshal([]byte(m.data), &e); err != nil {
			return false, fmt.Errorf("decode event %s: %w", strconv.Quote(m.id), err)
		}
		if e.Seq <= w.after {
			continue // a proxy or a resumed stream may repeat
		}
		w.after = e.Seq
		if !yield(e, nil) {
			return true, nil
		}
	}
}

// alive calls told after each read that gave something.
type alive struct {
	r    io.Reader
	told func()
}

// Read reads and tells.
func (a alive) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	if n > 0 {
		a.told()
	}
	return n, err
}
