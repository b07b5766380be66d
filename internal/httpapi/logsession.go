package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/sdk"
)

// How a stream of logs is written.
const (
	logBuffer  = 32 << 10               // bytes that are held back at most
	logDelay   = 200 * time.Millisecond // for which a line is, so that many go out at once
	logSilence = time.Second            // after which an answer without a line begins
)

// logSession is one answer. What containers write faster than the reader takes it is not read: tell waits until the lines before are on their way.
type logSession struct {
	logs
	id      string
	query   target.LogQuery
	w       http.ResponseWriter
	control *http.ResponseController
	text    bool

	mu      turn
	pending bytes.Buffer
	begun   bool
	sent    time.Time // when something last went out
	err     error     // of a write; the session is over then
}

// turn is a lock that a wait for a slow reader may be held across: what waits for it is seen to wait, also where time is not that of the clock.
type turn chan struct{}

// Lock takes the turn.
func (t turn) Lock() { t <- struct{}{} }

// Unlock gives it back.
func (t turn) Unlock() { <-t }

var errEnough = errors.New("no more lines are wanted")

// head answers what a GET would, without the lines.
func (s *logSession) head(ctx context.Context, r *http.Request) {
	q := s.query
	q.Follow, q.Tail = false, 1
	err := s.operations.Logs(ctx, actorOf(ctx), s.id, q, func(target.LogLine) error { return errEnough })
	if err != nil && !errors.Is(err, errEnough) {
		writeProblem(s.w, r, refuse(ctx, s.logger, err).Problem)
		return
	}
	s.begin()
}

func (s *logSession) run(parent context.Context, r *http.Request) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	told := make(chan struct{})
	var beside sync.WaitGroup
	beside.Go(func() { s.tick(ctx, cancel, told) })
	err := s.operations.Logs(ctx, actorOf(parent), s.id, s.query, s.tell)
	close(told)
	beside.Wait()

	s.mu.Lock()
	defer s.mu.Unlock()
	cause := context.Cause(ctx)
	switch {
	case s.err != nil, parent.Err() != nil:
		s.logger.DebugContext(parent, "stream of logs ended", "request_id", exchangeOf(parent).id, "error", errors.Join(s.err, parent.Err()))
		panic(http.ErrAbortHandler) // nobody reads it; what is left must not look whole
	case errors.Is(cause, errDraining):
		s.flush() // the reader comes back, and takes it up where it ended
	case cause != nil:
		s.fail(parent, r, cause)
	case err != nil:
		s.fail(parent, r, err)
	default:
		s.sign(sdk.LogMessage{End: true})
		s.flush()
	}
}

// tell takes one line.
func (s *logSession) tell(l target.LogLine) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if s.text {
		s.pending.WriteString(l.Text)
		s.pending.WriteByte('\n')
	} else {
		s.sign(wireLogLine(l))
	}
	if s.pending.Len() >= logBuffer || time.Since(s.sent) >= logDelay {
		s.flush()
	}
	return s.err
}

// tick sends what was held back, keeps the stream open, ends it when the server stops, and when who reads it may no more.
func (s *logSession) tick(ctx context.Context, cancel context.CancelCauseFunc, told <-chan struct{}) {
	delay, silence, proof := time.NewTicker(logDelay), time.NewTimer(logSilence), time.NewTicker(heartbeat)
	defer delay.Stop()
	defer silence.Stop()
	defer proof.Stop()
	var draining <-chan struct{} // looked at after a moment, so that whoever may not read hears that, also from a server that stops
	for {
		select {
		case <-told:
			return
		case <-ctx.Done():
			return
		case <-draining:
			cancel(errDraining)
			return
		case <-proof.C:
			if err := s.may(ctx, s.id); err != nil {
				cancel(err)
				return
			}
			s.idle(true)
		case <-silence.C:
			draining = s.draining
			s.idle(false)
		case <-delay.C:
			s.mu.Lock()
			if s.pending.Len() > 0 {
				s.flush()
			}
			s.mu.Unlock()
		}
		s.mu.Lock()
		err := s.err
		s.mu.Unlock()
		if err != nil {
			cancel(err)
			return
		}
	}
}

// idle begins an answer that has not begun, or gives a sign of life when nothing went out of late.
func (s *logSession) idle(beat bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun && (!beat || time.Since(s.sent) < heartbeat/2) {
		return
	}
	if beat {
		s.sign(sdk.LogMessage{Heartbeat: true})
	}
	s.flush()
}

// sign adds a line of JSON. Bare lines have no signs.
func (s *logSession) sign(m sdk.LogMessage) {
	if s.text {
		return
	}
	enc := json.NewEncoder(&s.pending)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil && s.err == nil {
		s.err = fmt.Errorf("encode line of logs: %w", err)
	}
}

// fail ends the answer with why: as a problem while nothing has gone out, else as the last line.
func (s *logSession) fail(ctx context.Context, r *http.Request, err error) {
	p := refuse(ctx, s.logger, err).Problem
	switch {
	case !s.begun && s.pending.Len() == 0:
		writeProblem(s.w, r, p)
	case s.text:
		s.flush()
		panic(http.ErrAbortHandler) // bare lines cannot tell it, and must not look whole
	default:
		s.sign(sdk.LogMessage{Problem: p})
		s.flush()
	}
}

func (s *logSession) begin() {
	s.begun = true
	h := s.w.Header()
	h.Set("Content-Type", jsonLines)
	if s.text {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	h.Set("X-Accel-Buffering", "no") // asks common proxies to pass each line on at once
	h.Set("Vary", "Accept")
	s.w.WriteHeader(http.StatusOK)
}

// flush sends what was held back.
func (s *logSession) flush() {
	if s.err != nil {
		return
	}
	if !s.begun {
		s.begin()
	}
	s.err = sendNow(s.w, s.control, s.pending.Bytes())
	s.pending.Reset()
	s.sent = time.Now()
}
