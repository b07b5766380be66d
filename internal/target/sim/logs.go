package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/target"
)

// What a place keeps of what the containers of one environment said.
const (
	maxSaid     = 1000
	maxSaidSize = 1 << 20 // bytes of text
	maxText     = 64 << 10
)

// said is one line.
type said struct {
	target.LogLine
	previous bool
	number   uint64 // of the place: a later line has a higher one
}

// Write has a container say a line. Nothing runs here, so this is all that containers ever say. A line without a time is of now.
func (p *Place) Write(ref target.Ref, l target.LogLine) error { return p.write(ref, l, false) }

// WritePrevious is Write for the run of the container before the one that is now.
func (p *Place) WritePrevious(ref target.Ref, l target.LogLine) error { return p.write(ref, l, true) }

func (p *Place) write(ref target.Ref, l target.LogLine, previous bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	env := p.envs[keyOf(ref)]
	if env == nil {
		return fmt.Errorf("write a log: nothing of %s/%s is here", ref.Project, ref.Environment)
	}
	if l.At.IsZero() {
		l.At = time.Now().UTC()
	}
	l.Text = strings.ToValidUTF8(l.Text[:min(len(l.Text), maxText)], "\uFFFD")
	p.lines++
	env.said = append(env.said, said{l, previous, p.lines})
	size := 0
	for i := len(env.said) - 1; i >= 0; i-- {
		if size += len(env.said[i].Text); size > maxSaidSize || len(env.said)-i > maxSaid {
			env.said = slices.Clone(env.said[i+1:])
			break
		}
	}
	close(p.written)
	p.written = make(chan struct{})
	return nil
}

// Logs implements target.LogReader: it tells the lines of Place.Write. When ctx ends while it follows, it returns nil.
func (d Driver) Logs(ctx context.Context, ref target.Ref, q target.LogQuery, tell func(target.LogLine) error) error {
	p := d.Place
	if err := p.call(ctx); err != nil {
		return err
	}
	var last uint64
	for first := true; ; first = false {
		lines, newest, next := p.said(ref, q, last)
		if last = max(last, newest); first {
			lines = bounded(lines, q)
		}
		for _, l := range lines {
			if q.Search != "" && !strings.Contains(strings.ToLower(l.Text), strings.ToLower(q.Search)) {
				continue
			}
			if err := tell(l.LogLine); err != nil {
				return err
			}
		}
		if !q.Follow || q.Previous {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return nil
		}
	}
}

// said gives what was said after a line, in the order of time, the number of the last of it, and what tells of more.
func (p *Place) said(ref target.Ref, q target.LogQuery, after uint64) (lines []said, newest uint64, more <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if env := p.envs[keyOf(ref)]; env != nil {
		for _, l := range env.said {
			newest = max(newest, l.number)
			if l.number > after && l.previous == q.Previous && asked(l.LogLine, q) {
				lines = append(lines, l)
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b said) int { return a.At.Compare(b.At) })
	return lines, newest, p.written
}

func asked(l target.LogLine, q target.LogQuery) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	return is(q.Component, l.Component) && is(q.Pod, l.Pod) && is(q.Container, l.Container) &&
		!l.At.Before(q.Since) && (q.Until.IsZero() || !l.At.After(q.Until))
}

// bounded keeps the last lines of each container, and of these no more than so many bytes.
func bounded(lines []said, q target.LogQuery) []said {
	type container struct{ pod, name string }
	count, size := map[container]int{}, map[container]int64{}
	keep := make([]bool, len(lines))
	for i, l := range slices.Backward(lines) {
		c := container{l.Pod, l.Container}
		count[c]++
		keep[i] = q.Tail <= 0 || count[c] <= q.Tail
	}
	var out []said
	for i, l := range lines {
		c := container{l.Pod, l.Container}
		if !keep[i] {
			continue
		}
		if size[c] += int64(len(l.Text)) + 1; q.MaxBytes <= 0 || size[c] <= q.MaxBytes {
			out = append(out, l)
		}
	}
	return out
}

// Containers implements target.LogReader. A pod has the name of its workload and a number; when it began is not kept.
func (d Driver) Containers(ctx context.Context, ref target.Ref) ([]target.Container, error) {
	p := d.Place
	if err := p.call(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []target.Container
	if env := p.envs[keyOf(ref)]; env != nil {
		for _, o := range env.members {
			if o.work != nil && !o.deleting {
				out = append(out, o.containers()...)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b target.Container) int { return strings.Compare(a.Pod, b.Pod) })
	return out, nil
}

// containers gives those of the pods of a workload.
func (o *object) containers() []target.Container {
	m := manifestOf(o.live.object())
	pod, _ := m.pod()
	var out []target.Container
	for i := range o.work.wanted {
		state, ready := o.work.pod(i)
		for _, field := range []string{"initContainers", "containers"} {
			for _, c := range items(pod[field]) {
				x := target.Container{Component: o.component, Pod: fmt.Sprintf("%s-%d", o.name, i), Name: text(c["name"]), State: state, Ready: ready}
				if x.Init = field == "initContainers"; x.Init && (ready || state == "running") {
					x.State, x.Ready = "terminated: Completed", true
				}
				out = append(out, x)
			}
		}
	}
	return out
}

// pod tells what the containers of one pod do.
func (w *work) pod(i int32) (state string, ready bool) {
	switch {
	case w.failing:
		return "waiting: " + w.fail, false
	case w.done:
		return "terminated: Completed", false
	case i < max(w.started, w.old):
		return "running", i < max(w.ready, w.old)
	case i < w.scheduled:
		return "waiting: ContainerCreating", false
	}
	return "waiting", false
}
