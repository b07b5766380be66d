package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// maxStreams is how many containers one call reads at once: a connection and some kilobytes each. Of more, the rest comes after.
const maxStreams = 100

// source is one run of one container, whose log can be read.
type source struct {
	component, namespace, pod, container string
	uid                                  string // of the pod
	run                                  string // another one after a restart
	ended                                bool   // nothing more will be written to it
}

// streamClient opens a connection for each request: with HTTP/2 they would share one, and its window with the watches.
func streamClient(cfg *rest.Config) (rest.Interface, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.NegotiatedSerializer = scheme.Codecs.WithoutConversion() // of errors
	if cfg.Transport == nil {
		cfg.NextProtos = []string{"http/1.1"}
	}
	hc, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, err
	}
	return rest.UnversionedRESTClientForConfigAndClient(cfg, hc)
}

// Containers implements target.LogReader.
func (d *Driver) Containers(ctx context.Context, ref target.Ref) ([]target.Container, error) {
	pods, err := d.pods(ctx, ref, "")
	if err != nil {
		return nil, err
	}
	var out []target.Container
	for i := range pods {
		out = append(out, containers(&pods[i])...)
	}
	return out, nil
}

// Logs implements target.LogReader. It keeps one line of each container until that line is told, and no more, so a slow tell slows the containers' logs down.
// A container that cannot be read does not keep the others from being told; its error comes at the end. When ctx ends while it follows, it returns nil.
func (d *Driver) Logs(ctx context.Context, ref target.Ref, q target.LogQuery, tell func(target.LogLine) error) error {
	if q.Follow && !q.Previous { // a run that ended says no more
		return d.followLogs(ctx, ref, q, tell)
	}
	q.Follow = false
	sources, err := d.sources(ctx, ref, q)
	if err != nil {
		return err
	}
	var failed error
	for batch := range slices.Chunk(sources, maxStreams) {
		err := d.tellBatch(ctx, batch, q, tell)
		if own := new(readError); err != nil && !errors.As(err, &own) {
			return err
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// readError is the fault of one container's log.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// tellBatch reads some logs to their end and tells their lines in the order of time.
func (d *Driver) tellBatch(ctx context.Context, batch []source, q target.LogQuery, tell func(target.LogLine) error) error {
	ctx, cancel := context.WithCancel(ctx)
	m := newMerger(false)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	var mu sync.Mutex
	var failed error
	for _, s := range batch {
		st := m.add()
		wg.Go(func() {
			_, err := d.readLog(ctx, s, reading{LogQuery: q}, func(l target.LogLine) error { return st.give(ctx, l) })
			if err != nil && ctx.Err() == nil {
				mu.Lock()
				if failed == nil {
					failed = &readError{err}
				}
				mu.Unlock()
			}
			st.end(ctx)
		})
	}
	if err := m.run(ctx, tell); err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	return failed
}

// sources lists what a query is about.
func (d *Driver) sources(ctx context.Context, ref target.Ref, q target.LogQuery) ([]source, error) {
	pods, err := d.pods(ctx, ref, q.Component)
	if err != nil {
		return nil, err
	}
	var out []source
	for i := range pods {
		if q.Pod == "" || pods[i].GetName() == q.Pod {
			out = append(out, sourcesOf(&pods[i], q)...)
		}
	}
	return out, nil
}

// sourcesOf gives the containers of a pod that have a log.
func sourcesOf(pod *unstructured.Unstructured, q target.LogQuery) []source {
	var out []source
	for _, field := range []string{"initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"} {
		list, _, _ := unstructured.NestedFieldNoCopy(pod.Object, "status", field)
		for _, c := range objects(list) {
			if q.Container != "" && text(c["name"]) != q.Container {
				continue
			}
			run, ended, ok := runOf(c, q.Previous)
			if !ok {
				continue
			}
			out = append(out, source{
				component: pod.GetLabels()[blueberry.LabelComponent], namespace: pod.GetNamespace(), pod: pod.GetName(), container: text(c["name"]),
				uid: string(pod.GetUID()), run: run, ended: ended,
			})
		}
	}
	return out
}

// runOf names the run of a container whose log the API gives: the one that is or was last, or the one before.
func runOf(status map[string]any, previous bool) (run string, ended, ok bool) {
	state, _ := status["state"].(map[string]any)
	last, _ := status["lastState"].(map[string]any)
	before, wasBefore := last["terminated"].(map[string]any)
	restarts, _ := status["restartCount"].(int64)
	name := func(id any) string { // a run without an id is told by its number
		if s := text(id); s != "" {
			return s
		}
		return fmt.Sprint(restarts)
	}
	switch {
	case previous:
		return name(before["containerID"]), true, wasBefore
	case state["running"] != nil:
		return name(status["containerID"]), false, true
	case state["terminated"] != nil:
		return name(status["containerID"]), true, true
	case wasBefore: // it waits for its next run
		return name(before["containerID"]), true, true
	}
	return "", false, false
}

// unread reports that a container has no log (yet, or any more), which is no fault.
func unread(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsBadRequest(err) // "is waiting to start", "previous terminated container not found"
}
