package sim

import (
	"container/heap"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// work is the pods of one workload, as numbers.
type work struct {
	wanted     int32
	job        bool
	done       bool   // a Job that ran
	template   uint64 // fingerprint: another one means new pods
	generation uint32 // of the pods; events for older ones are void
	readyAfter time.Duration
	fail       string // reason by which its pods fail
	failing    bool   // and they do
	// Pods of this generation, and those of the one before that run until the new ones do.
	scheduled, started, ready, old int32
}

// begin makes new pods, in place of those that run.
func (p *Place) begin(o *object, w *work) {
	if last := o.work; last != nil {
		w.generation = last.generation + 1
		w.old = min(w.wanted, max(last.old, last.ready)) // what was scaled away does not run on
	}
	o.work = w
	for range w.wanted {
		p.after(p.about(p.cfg.Schedule), event{o, w.generation, schedule})
	}
}

// health is that of the workload.
func (w *work) health() (blueberry.Health, string) {
	switch {
	case w.job && w.failing:
		return blueberry.HealthFailed, "its pod failed: " + w.fail
	case w.job && w.done, !w.job && w.ready >= w.wanted && !w.failing:
		return blueberry.HealthCurrent, ""
	}
	return blueberry.HealthInProgress, fmt.Sprintf("%d of %d ready", w.ready, w.wanted)
}

// add adds the pods to the sum of a component.
func (w *work) add(s *blueberry.WorkloadState, name string) {
	if w.failing {
		s.Failure = blueberry.Failure{Reason: w.fail, Message: fmt.Sprintf("pod %s: container made to fail", name), Hard: true}
	}
	if w.job && (w.done || w.failing) {
		return
	}
	s.Wanted += int(w.wanted)
	s.Scheduled += int(min(w.wanted, max(w.scheduled, w.old)))
	s.Started += int(min(w.wanted, max(w.started, w.old)))
	s.Ready += int(min(w.wanted, max(w.ready, w.old)))
}

// step is what happens to a pod next.
type step uint8

const (
	schedule step = iota
	start
	ready
	finish // a Job's pod
	crash  // of any pod of the place
	heal
)

// event is one step of one pod.
type event struct {
	object     *object
	generation uint32
	step       step
}

// happen does what is due.
func (p *Place) happen(e event) {
	if e.step == crash {
		p.crashAny()
		return
	}
	w := e.object.work
	if w.generation != e.generation {
		return
	}
	switch e.step {
	case schedule:
		w.scheduled++
		p.note(e.object, false, "Scheduled", "default-scheduler", "a pod was assigned to the simulated node")
		p.after(p.about(p.cfg.Start), event{e.object, e.generation, start})
	case start:
		if w.fail != "" {
			w.failing = true
			p.note(e.object, true, w.failEvent(), "kubelet", "container made to fail: "+w.fail)
			break
		}
		w.started++
		p.note(e.object, false, "Started", "kubelet", "a container was started")
		wait := p.about(p.cfg.Ready)
		if w.readyAfter > 0 {
			wait = w.readyAfter
		}
		p.after(wait, event{e.object, e.generation, ready})
	case ready:
		w.ready++
		if w.ready == w.wanted {
			w.old = 0
		}
		if w.job {
			p.after(p.about(p.cfg.Ready), event{e.object, e.generation, finish})
		}
	case finish:
		w.done = true
	case heal:
		p.heal(e.object)
	}
	p.mark(e.object.env)
}

// breakPods makes the pods of a workload crash.
func (p *Place) breakPods(o *object, reason string) {
	w := o.work
	w.generation++
	w.fail, w.failing = reason, true
	w.started, w.ready, w.old = 0, 0, 0
	p.note(o, true, w.failEvent(), "kubelet", "container made to fail: "+reason)
	p.mark(o.env)
}

// heal starts the pods of a workload again.
func (p *Place) heal(o *object) {
	w := o.work
	w.generation++
	w.fail, w.failing = "", false
	w.scheduled, w.started, w.ready = 0, 0, 0
	for range w.wanted {
		p.after(0, event{o, w.generation, schedule})
	}
	p.mark(o.env)
}

// crashAny makes one workload of the place crash for a while.
func (p *Place) crashAny() {
	if p.faults.CrashEvery <= 0 {
		return
	}
	p.after(p.faults.CrashEvery, event{step: crash})
	for _, env := range p.envs { // Go begins anywhere
		for _, o := range env.members {
			if o.work != nil && !o.work.job && !o.work.failing && o.work.ready > 0 {
				p.breakPods(o, "CrashLoopBackOff")
				p.after(10*p.cfg.Ready, event{o, o.work.generation, heal})
				return
			}
		}
	}
}

// about is a random time around d.
func (p *Place) about(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d/2 + time.Duration(p.random.Int64N(int64(d)))
}

// clock is the events to come, and one timer for the first of them.
type clock struct {
	events timeline
	timer  *time.Timer
	next   time.Time // when the timer rings; zero when it is not set
}

type due struct {
	at time.Time
	event
}

// after lets an event happen in a while. The caller holds p.mu.
func (p *Place) after(d time.Duration, e event) {
	c := &p.clock
	heap.Push(&c.events, due{time.Now().Add(d), e})
	p.rearm()
}

func (p *Place) rearm() {
	c := &p.clock
	if len(c.events) == 0 {
		return
	}
	at := c.events[0].at
	if !c.next.IsZero() && !at.Before(c.next) {
		return
	}
	c.next = at
	if c.timer == nil {
		c.timer = time.AfterFunc(time.Until(at), p.ring)
		return
	}
	c.timer.Reset(time.Until(at))
}

// ring does all that is due.
func (p *Place) ring() {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &p.clock
	c.next = time.Time{}
	for now := time.Now(); len(c.events) > 0 && !c.events[0].at.After(now); {
		e, _ := heap.Pop(&c.events).(due)
		p.happen(e.event)
	}
	p.rearm()
}

// timeline is a heap of events by time.
type timeline []due

func (t timeline) Len() int           { return len(t) }
func (t timeline) Less(i, j int) bool { return t[i].at.Before(t[j].at) }
func (t timeline) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *timeline) Push(x any) {
	if d, ok := x.(due); ok {
		*t = append(*t, d)
	}
}

func (t *timeline) Pop() any {
	old := *t
	last := old[len(old)-1]
	old[len(old)-1] = due{} // lets the object go
	*t = old[:len(old)-1]
	return last
}
