package kube

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// missingPods finds out why a workload has fewer pods than it should, where its status does not say it: a StatefulSet, a DaemonSet, a Job.
func (l *look) missingPods(ctx context.Context, s suspect) ([]blueberry.Cause, error) {
	list, err := l.notes(ctx, s.ref.Kind, s.ref.Namespace, s.ref.Name, "")
	if err != nil {
		return nil, err
	}
	n, ok := newest(list, "", "", "FailedCreate")
	if !ok {
		l.open = true
		return nil, nil
	}
	s.at = n.at
	c := denial(s, n.message)
	c.Evidence = []blueberry.Evidence{n.evidence()}
	return []blueberry.Cause{c}, nil
}

// job finds out why a Job is not done.
func (l *look) job(ctx context.Context, s suspect, job *unstructured.Unstructured) ([]blueberry.Cause, error) {
	failed, _, _ := unstructured.NestedInt64(job.Object, "status", "failed")
	active, _, _ := unstructured.NestedInt64(job.Object, "status", "active")
	for _, c := range conditions(job) {
		if c["type"] != "Failed" || c["status"] != "True" {
			continue
		}
		reason, message := text(c["reason"]), text(c["message"])
		at, _ := time.Parse(time.RFC3339, text(c["lastTransitionTime"]))
		out := s.cause(blueberry.CauseJobFailed, blueberry.Fails, "Job %s has failed: %s", s.ref.Name, clip(either(message, reason)))
		out.Evidence = []blueberry.Evidence{blueberry.NewEvidence("condition Failed of "+s.ref.String(), reason+": "+message, at)}
		out.Fix = fmt.Sprintf("its last lines say why; correct component %s and give the environment the new revision, which runs the Job again", s.component)
		switch reason {
		case "BackoffLimitExceeded":
			limit, ok, _ := unstructured.NestedInt64(job.Object, "spec", "backoffLimit")
			if !ok {
				limit = 6
			}
			out.Message = fmt.Sprintf("Job %s has failed: %d of its pods ended with a failure, and its backoffLimit is %d", s.ref.Name, failed, limit)
		case "DeadlineExceeded":
			limit, _, _ := unstructured.NestedInt64(job.Object, "spec", "activeDeadlineSeconds")
			out.Message = fmt.Sprintf("Job %s has failed: it was not done within its activeDeadlineSeconds of %d", s.ref.Name, limit)
			out.Fix = fmt.Sprintf("raise activeDeadlineSeconds of the Job of component %s, or find what it waits for in its last lines", s.component)
		}
		lines, err := l.jobLines(ctx, s, &out)
		out.Evidence = append(out.Evidence, lines...)
		return []blueberry.Cause{out}, err
	}
	switch {
	case failed > 0:
		out := s.cause(blueberry.CauseJobFailed, blueberry.Waits, "Job %s has failed %d times and is tried again", s.ref.Name, failed)
		out.Fix = fmt.Sprintf("its last lines say why; correct component %s", s.component)
		lines, err := l.jobLines(ctx, s, &out)
		out.Evidence = lines
		return []blueberry.Cause{out}, err
	case active == 0:
		return l.missingPods(ctx, s)
	}
	out := s.cause(blueberry.CauseObjectFailed, blueberry.Waits, "Job %s runs and is not done", s.ref.Name)
	out.Fix = "nothing, if it ends; else see in its log what it waits for"
	return []blueberry.Cause{out}, nil
}

// jobLines are how the last pod of a Job that failed ended, and what it wrote; the exit code joins the sentence.
func (l *look) jobLines(ctx context.Context, s suspect, out *blueberry.Cause) ([]blueberry.Evidence, error) {
	pods, err := l.list(ctx, schema.GroupVersionResource{Version: "v1", Resource: "pods"}, s.ref.Namespace,
		metav1.ListOptions{LabelSelector: "batch.kubernetes.io/job-name=" + s.ref.Name, Limit: 50})
	pods = slices.DeleteFunc(pods, func(p unstructured.Unstructured) bool {
		phase, _, _ := unstructured.NestedString(p.Object, "status", "phase")
		return phase != "Failed"
	})
	if err != nil || len(pods) == 0 {
		return nil, err
	}
	last := slices.MaxFunc(pods, func(a, b unstructured.Unstructured) int {
		return a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time)
	})
	p := &podLook{look: l, suspect: s, pod: &last}
	var evidence []blueberry.Evidence
	for _, c := range p.containers() {
		if c.terminated == nil || c.done() {
			continue
		}
		out.Message += fmt.Sprintf("; %s ended with %s", c.label(), endedText(c))
		evidence = append(evidence, blueberry.NewEvidence(fmt.Sprintf("%s of pod %s", c.label(), last.GetName()), endedText(c), endedAt(c)))
		return append(evidence, l.lastLines(ctx, s, last.GetName(), c.name, false)...), nil
	}
	return evidence, nil
}

// rollout is a Rollout that someone stopped, or that stopped itself.
func rollout(s suspect, u *unstructured.Unstructured) []blueberry.Cause {
	phase, _, _ := unstructured.NestedString(u.Object, "status", "phase")
	message, _, _ := unstructured.NestedString(u.Object, "status", "message")
	evidence := []blueberry.Evidence{blueberry.NewEvidence("status of "+s.ref.String(), phase+": "+message, time.Time{})}
	switch phase {
	case "Paused":
		out := s.cause(blueberry.CauseRolloutPaused, blueberry.Waits, "Rollout %s is paused (%s)", s.ref.Name, clip(either(message, "by its steps")))
		out.Fix = fmt.Sprintf("nothing, if the pause has a time; else promote or abort it: kubectl argo rollouts promote %s", s.ref.Name)
		out.Evidence = evidence
		return []blueberry.Cause{out}
	case "Degraded":
		out := s.cause(blueberry.CauseObjectFailed, blueberry.Fails, "Rollout %s is degraded: %s", s.ref.Name, clip(message))
		if aborted, _, _ := unstructured.NestedBool(u.Object, "status", "abort"); aborted {
			out.Message = fmt.Sprintf("Rollout %s was aborted: %s", s.ref.Name, clip(message))
		}
		out.Fix = fmt.Sprintf("read its analysis and its pods, correct component %s, and try again with a new revision", s.component)
		out.Evidence = evidence
		return []blueberry.Cause{out}
	}
	return nil
}
