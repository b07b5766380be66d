package kube

import (
	"container/heap"
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/target"
)

// settle is how long lines that are there wait for those of a container that may have older ones.
const settle = 250 * time.Millisecond

// merger tells the lines of several streams in the order of time. It holds one line of each stream at most.
type merger struct {
	news    chan news
	follow  bool // streams may come and stay: do not wait for them for long
	heads   lineHeap
	open    map[*stream]bool // that have not ended
	missing map[*stream]bool // of them, those that may have lines from before now, and none in heads
}

// stream is one log on its way into a merger.
type stream struct {
	merger *merger
	taken  chan struct{}
	live   bool // it is past what was there when it was opened; only run looks at it
}

// news is a line of a stream, or that it comes or ends.
type news struct {
	from *stream
	line target.LogLine
	sort newsSort
}

type newsSort int

const (
	lineCame newsSort = iota
	streamCame
	streamEnded
)

func newMerger(follow bool) *merger {
	return &merger{news: make(chan news), follow: follow, open: map[*stream]bool{}, missing: map[*stream]bool{}}
}

func (m *merger) newStream() *stream { return &stream{merger: m, taken: make(chan struct{}, 1)} }

// add makes a stream before run begins.
func (m *merger) add() *stream {
	s := m.newStream()
	m.open[s], m.missing[s] = true, true
	return s
}

// join makes a stream while run goes on; nil when ctx ended.
func (m *merger) join(ctx context.Context) *stream {
	s := m.newStream()
	if s.send(ctx, news{from: s, sort: streamCame}) != nil {
		return nil
	}
	return s
}

func (s *stream) send(ctx context.Context, n news) error {
	select {
	case s.merger.news <- n:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// give hands a line over and returns when it was told.
func (s *stream) give(ctx context.Context, l target.LogLine) error {
	if err := s.send(ctx, news{from: s, line: l, sort: lineCame}); err != nil {
		return err
	}
	select {
	case <-s.taken:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *stream) end(ctx context.Context) { _ = s.send(ctx, news{from: s, sort: streamEnded}) }

// run tells lines until all streams have ended; with follow, until ctx ends.
func (m *merger) run(ctx context.Context, tell func(target.LogLine) error) error {
	timer := time.NewTimer(settle)
	defer timer.Stop()
	for m.follow || len(m.open) > 0 || len(m.heads) > 0 {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read logs: %w", err)
		}
		select { // all that is there already, so that it is told in order
		case n := <-m.news:
			m.note(n)
			continue
		default:
		}
		if len(m.heads) > 0 && len(m.missing) == 0 {
			if err := m.tellFirst(tell); err != nil {
				return err
			}
			continue
		}
		var patience <-chan time.Time
		if m.follow && len(m.heads) > 0 {
			timer.Reset(settle)
			patience = timer.C
		}
		select {
		case n := <-m.news:
			m.note(n)
		case <-patience:
			for s := range m.missing {
				s.live = true
			}
			clear(m.missing)
		case <-ctx.Done():
		}
	}
	return nil
}

func (m *merger) note(n news) {
	switch n.sort {
	case streamCame:
		m.open[n.from], m.missing[n.from] = true, true
	case lineCame:
		delete(m.missing, n.from)
		heap.Push(&m.heads, n)
	case streamEnded:
		delete(m.missing, n.from)
		delete(m.open, n.from)
	}
}

// tellFirst tells the oldest line that is there, and lets its stream read on.
func (m *merger) tellFirst(tell func(target.LogLine) error) error {
	n, _ := heap.Pop(&m.heads).(news)
	if err := tell(n.line); err != nil {
		return err
	}
	n.from.taken <- struct{}{}
	if !n.from.live {
		m.missing[n.from] = true
	}
	return nil
}

// lineHeap has the oldest line first; of one time, in the order of pods and containers.
type lineHeap []news

func (h lineHeap) Len() int      { return len(h) }
func (h lineHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h lineHeap) Less(i, j int) bool {
	a, b := h[i].line, h[j].line
	switch {
	case !a.At.Equal(b.At):
		return a.At.Before(b.At)
	case a.Pod != b.Pod:
		return a.Pod < b.Pod
	}
	return a.Container < b.Container
}

// Push is for container/heap.
func (h *lineHeap) Push(x any) {
	if n, ok := x.(news); ok {
		*h = append(*h, n)
	}
}

// Pop is for container/heap.
func (h *lineHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = news{}
	*h = old[:len(old)-1]
	return last
}
