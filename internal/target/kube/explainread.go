package kube

import (
	"context"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// read gets an object; nil when it is gone, or is not for us to see.
func (l *look) read(ctx context.Context, s suspect) (*unstructured.Unstructured, error) {
	return l.get(ctx, s.kind.resource, s.ref.Namespace, s.ref.Name)
}

func (l *look) get(ctx context.Context, gvr schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	u, err := l.dynamic.Resource(gvr).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if unseen(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fault(ctx, "read "+gvr.Resource+" "+name, err)
	}
	return u, nil
}

// list gives at most so many objects; none when they are not for us to see.
func (l *look) list(ctx context.Context, gvr schema.GroupVersionResource, namespace string, o metav1.ListOptions) ([]unstructured.Unstructured, error) {
	list, err := l.dynamic.Resource(gvr).Namespace(namespace).List(ctx, o)
	if unseen(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fault(ctx, "list "+gvr.Resource, err)
	}
	return list.Items, nil
}

// unseen: what is not there or not for us to see explains nothing, and is no reason to keep the rest to ourselves.
func unseen(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsForbidden(err) || apierrors.IsMethodNotSupported(err)
}

// remark is one event of the place.
type remark struct {
	reason, message string
	warning         bool
	container       string // that it is about; empty for the object as a whole
	at              time.Time
}

func (n remark) evidence() blueberry.Evidence {
	return blueberry.NewEvidence("event "+n.reason, n.message, n.at)
}

// notes gives the events of an object, the newest first.
func (l *look) notes(ctx context.Context, kind, namespace, name, uid string) ([]remark, error) {
	list, err := l.list(ctx, schema.GroupVersionResource{Version: "v1", Resource: "events"}, namespace, metav1.ListOptions{
		FieldSelector: "involvedObject.kind=" + kind + ",involvedObject.name=" + name, Limit: 200,
	})
	var out []remark
	for _, e := range list {
		about, _ := e.Object["involvedObject"].(map[string]any)
		if id := text(about["uid"]); id != "" && uid != "" && id != uid {
			continue // of one that had this name before
		}
		n := remark{reason: text(e.Object["reason"]), message: text(e.Object["message"]), warning: e.Object["type"] == "Warning", at: eventTime(&e)}
		if _, after, ok := strings.Cut(text(about["fieldPath"]), "{"); ok {
			n.container = strings.TrimSuffix(after, "}")
		}
		out = append(out, n)
	}
	slices.SortStableFunc(out, func(a, b remark) int { return b.at.Compare(a.at) })
	return out, err
}

func eventTime(e *unstructured.Unstructured) time.Time {
	series, _ := e.Object["series"].(map[string]any)
	for _, v := range []any{series["lastObservedTime"], e.Object["lastTimestamp"], e.Object["eventTime"], e.Object["firstTimestamp"]} {
		if at, err := time.Parse(time.RFC3339Nano, text(v)); err == nil {
			return at.UTC()
		}
	}
	return e.GetCreationTimestamp().UTC()
}

// newest finds the newest event of one of the reasons whose message has the words.
func newest(list []remark, container, words string, reasons ...string) (remark, bool) {
	for _, n := range list {
		if slices.Contains(reasons, n.reason) && strings.Contains(n.message, words) && (n.container == "" || container == "" || n.container == container) {
			return n, true
		}
	}
	return remark{}, false
}

// lastLines are the last that a container wrote: in the run that ended, or else in this one. They are told once for a container of a component.
func (l *look) lastLines(ctx context.Context, s suspect, pod, container string, ended bool) []blueberry.Evidence {
	if key := s.component + "/" + container; l.logged[key] {
		return nil
	} else {
		l.logged[key] = true
	}
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	ask := func(previous string) (string, error) {
		raw, err := l.discovery.RESTClient().Get().AbsPath("/api/v1/namespaces", s.ref.Namespace, "pods", pod, "log").
			Param("container", container).Param("previous", previous).Param("tailLines", "20").Param("limitBytes", "16384").DoRaw(ctx)
		return strings.TrimSpace(string(raw)), err
	}
	text, err := "", error(nil)
	if ended {
		text, err = ask("true")
	}
	if !ended || err != nil || text == "" {
		if text, err = ask("false"); err != nil {
			l.open = l.open || ctx.Err() != nil
			return nil
		}
	}
	if text == "" {
		return nil
	}
	return []blueberry.Evidence{blueberry.NewEvidence("last lines of container "+container+" of pod "+pod, text, time.Time{})}
}
