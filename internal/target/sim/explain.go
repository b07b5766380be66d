package sim

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

var _ target.Explainer = Driver{}

// Explain implements target.Explainer for the faults that the place can have: pods that fail for a reason, Jobs that failed, what is held by a finalizer, and
// kinds that are not known. The codes are those that the same fault has on a Kubernetes.
func (d Driver) Explain(ctx context.Context, ref target.Ref, want []blueberry.LedgerEntry) ([]blueberry.Cause, error) {
	p := d.Place
	if err := p.call(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []blueberry.Cause
	for _, w := range want {
		if p.kinds[groupKind{w.Group(), w.Kind}] == nil {
			c := causeOf(w.ObjectRef, w.Component, blueberry.CauseKindUnknown, blueberry.Waits, "API discovery of the target", "no resource of kind "+w.Kind+" in "+w.APIVersion)
			c.Message = fmt.Sprintf("the target does not know the kind %s of %s", w.Kind, w.APIVersion)
			c.Fix = fmt.Sprintf("install the CustomResourceDefinition of %s on the target, with its operator, or take %s %s out of the component", w.Kind, w.Kind, w.Name)
			out = append(out, c)
		}
	}
	if env := p.envs[keyOf(ref)]; env != nil {
		for _, o := range env.members {
			if c, ok := o.explain(); ok {
				out = append(out, c)
			}
		}
	}
	blueberry.SortCauses(out)
	return out, nil
}

func causeOf(o blueberry.ObjectRef, component string, code blueberry.CauseCode, severity blueberry.Severity, source, text string) blueberry.Cause {
	return blueberry.Cause{
		Code: code, Severity: severity, Step: code.Step(), Component: component, Object: o,
		Evidence: []blueberry.Evidence{blueberry.NewEvidence(source, text, time.Time{})},
	}
}

// explain tells what is wrong with an object; false when nothing is.
func (o *object) explain() (blueberry.Cause, bool) {
	switch {
	case o.deleting && o.finalizers:
		c := causeOf(o.ref(), o.component, blueberry.CauseNamespaceGoing, blueberry.Waits, "metadata.finalizers of "+o.ref().String(), "a finalizer")
		c.Message = fmt.Sprintf("%s %s is being deleted, and a finalizer holds it", o.kind.kind, o.name)
		c.Fix = "let the controller of the finalizer do its work, or take the finalizer off"
		return c, true
	case o.deleting || o.work == nil || !o.work.failing:
		return blueberry.Cause{}, false
	case o.work.job:
		c := causeOf(o.ref(), o.component, blueberry.CauseJobFailed, blueberry.Fails, "status of "+o.ref().String(), o.work.fail)
		c.Message = fmt.Sprintf("Job %s has failed: its pod ended with %s", o.name, o.work.fail)
		c.Fix = fmt.Sprintf("correct component %s and give the environment the new revision, which runs the Job again", o.component)
		return c, true
	}
	code, severity := reasonCode(o.work.fail)
	c := causeOf(o.ref(), o.component, code, severity, "pods of "+o.ref().String(), o.work.fail)
	c.Message = fmt.Sprintf("the pods of %s %s fail: %s", o.kind.kind, o.name, o.work.fail)
	c.Fix = fmt.Sprintf("correct image, command or values of component %s", o.component)
	return c, true
}

// reasonCode is the cause of the reason by which pods were made to fail.
func reasonCode(reason string) (blueberry.CauseCode, blueberry.Severity) {
	switch reason {
	case "CrashLoopBackOff", "Error":
		return blueberry.CauseCrash, blueberry.Fails
	case "ImagePullBackOff", "ErrImagePull", "InvalidImageName":
		return blueberry.CauseImagePull, blueberry.Fails
	case "OOMKilled":
		return blueberry.CauseOutOfMemory, blueberry.Fails
	case "Unschedulable":
		return blueberry.CauseUnschedulable, blueberry.Waits
	}
	if strings.HasPrefix(reason, "Insufficient") {
		return blueberry.CauseUnschedulable, blueberry.Waits
	}
	return blueberry.CauseContainer, blueberry.Fails
}
