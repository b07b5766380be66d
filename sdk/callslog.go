package sdk

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"
)

// logOverlap is how far before the last line a stream that broke is taken up: lines of several containers are in order of time only as far as they are there.
const logOverlap = 5 * time.Second

var errLogsCut = errors.New("the stream of logs ended before all was told")

// Logs opens what containers of an environment wrote. It has the answer of the server when it returns, so that a refusal is its error.
func (c *Client) Logs(ctx context.Context, id string, q LogQuery) (*LogStream, error) {
	s := &LogStream{client: c, id: id, query: q, marks: map[[2]string]*mark{}}
	waits := c.waits()
	for attempt := 0; ; attempt++ {
		err := s.open(ctx)
		if err == nil || ctx.Err() != nil {
			return s, err
		}
		wait, again := c.pause(newCall(http.MethodGet), err, attempt, waits)
		if !again {
			return nil, attempts(err, attempt+1)
		}
		if c.OnRetry != nil {
			c.OnRetry(err, wait)
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// LogStream is what containers wrote, line by line. It is read by one goroutine, and to its end or until Close.
type LogStream struct {
	client *Client
	id     string
	query  LogQuery

	body   io.ReadCloser
	cancel context.CancelFunc
	quiet  *time.Timer

	newest time.Time // of all lines
	marks  map[[2]string]*mark
}

// mark is how far the lines of one container of a pod were told.
type mark struct {
	at    time.Time // of the last one
	lines int       // with this very time

	told time.Time // at when the stream was taken up again: what was before it comes again
	skip int       // lines of that very time that come again
}

// again reports whether a line was told before the stream was taken up.
func (s *LogStream) again(l LogLine) bool {
	key := [2]string{l.Pod, l.Container}
	m := s.marks[key]
	if m == nil {
		m = &mark{}
		s.marks[key] = m
	}
	switch {
	case l.At.Before(m.told):
		return true
	case l.At.Equal(m.told) && m.skip > 0:
		m.skip--
		return true
	case l.At.Equal(m.at):
		m.lines++
	default:
		m.at, m.lines = l.At, 1
	}
	if l.At.After(s.newest) {
		s.newest = l.At
	}
	return false
}

// Close ends the stream.
func (s *LogStream) Close() error {
	if s.body == nil {
		return nil
	}
	s.quiet.Stop()
	s.cancel()
	err := s.body.Close()
	s.body = nil
	return err
}

// Lines gives each line once. A stream that follows and breaks is taken up where it ended; any other ends with an error then. The sequence ends with the
// error that ends it, or, when all was told, without one. It closes the stream.
func (s *LogStream) Lines(ctx context.Context) iter.Seq2[LogLine, error] {
	return func(yield func(LogLine, error) bool) {
		w := &watch{client: s.client, pause: time.Second, lost: time.Now(), connected: true}
		defer func() { _ = s.Close() }()
		for {
			stopped, err := s.read(ctx, yield)
			_ = s.Close()
			switch {
			case stopped:
				return
			case ctx.Err() != nil:
				yield(LogLine{}, context.Cause(ctx))
				return
			case !s.query.Follow:
				yield(LogLine{}, err)
				return
			}
			w.lost = time.Now()
			for {
				if !w.again(err) {
					yield(LogLine{}, err)
					return
				}
				if s.client.OnRetry != nil {
					s.client.OnRetry(err, w.wait())
				}
				if err := sleep(ctx, w.wait()); err != nil {
					yield(LogLine{}, err)
					return
				}
				w.failures++
				if err = s.open(ctx); err == nil {
					w.failures = 0
					break
				}
			}
		}
	}
}

// open begins one answer, from the last line on when there was one.
func (s *LogStream) open(ctx context.Context) error {
	k := newCall(http.MethodGet, "environments", s.id, "logs")
	k.header.Set("Accept", "application/jsonl, application/problem+json")
	q := s.query
	if !s.newest.IsZero() {
		if since := s.newest.Add(-logOverlap); since.After(q.Since) {
			q.Since = since
		}
		q.Tail = 0
	}
	for _, m := range s.marks {
		m.told, m.skip = m.at, m.lines
	}
	k.set("component", q.Component)
	k.set("pod", q.Pod)
	k.set("container", q.Container)
	k.setTime("since", q.Since)
	k.setTime("until", q.Until)
	k.setInt("tail", int64(q.Tail))
	k.set("q", q.Search)
	for name, on := range map[string]bool{"previous": q.Previous, "follow": q.Follow} {
		if on {
			k.query.Set(name, "true")
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	res, err := s.client.send(ctx, k, nil)
	if err == nil && res.StatusCode >= 400 {
		data, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // what cannot be read is told by its status
		res.Body.Close()
		err = readProblem(res, data)
	}
	if err != nil {
		cancel()
		return err
	}
	s.body, s.cancel, s.quiet = res.Body, cancel, time.AfterFunc(streamSilence, cancel)
	return nil
}

// read reads one answer to its end. It reports whether there is nothing more to read: all was told, or the caller wants no more.
func (s *LogStream) read(ctx context.Context, yield func(LogLine, error) bool) (done bool, err error) {
	if s.body == nil {
		return false, errors.New("the stream of logs is closed")
	}
	in := bufio.NewScanner(alive{s.body, func() { s.quiet.Reset(streamSilence) }})
	in.Buffer(make([]byte, 0, 4096), maxStreamLine)
	for in.Scan() {
		var m LogMessage
		if err := json.Unmarshal(in.Bytes(), &m); err != nil {
			return false, &UnreachableError{URL: s.client.BaseURL, Err: fmt.Errorf("decode line of logs: %w", err)} // half a line of a connection that was cut
		}
		switch {
		case m.End:
			return true, nil
		case m.Problem != nil:
			return false, m.Problem
		case m.Text == nil:
			continue
		}
		l := LogLine{At: m.At, Component: m.Component, Pod: m.Pod, Container: m.Container, Text: *m.Text}
		if s.again(l) {
			continue
		}
		if !yield(l, nil) {
			return true, nil
		}
	}
	switch err := in.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return false, fmt.Errorf("read logs: %w", err)
	case err != nil:
		return false, &UnreachableError{URL: s.client.BaseURL, Err: outerCause(ctx, err)}
	}
	return false, &UnreachableError{URL: s.client.BaseURL, Err: errLogsCut}
}
