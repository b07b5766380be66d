package kube

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// pod finds out why a pod is not ready: it has no node, its node is gone, a container does not start, does not stay, or does not pass its probes.
func (l *look) pod(ctx context.Context, s suspect, pod *unstructured.Unstructured) ([]blueberry.Cause, error) {
	node, _, _ := unstructured.NestedString(pod.Object, "spec", "nodeName")
	if node == "" {
		return l.unscheduled(ctx, s, pod)
	}
	p := &podLook{look: l, suspect: s, pod: pod}
	var causes []blueberry.Cause
	waiting := false // a container is being made
	for _, c := range p.containers() {
		found, err := p.container(ctx, c)
		if err != nil {
			return causes, err
		}
		causes = append(causes, found...)
		reason := text(c.waiting["reason"])
		waiting = waiting || reason == "ContainerCreating" || reason == "PodInitializing" || len(c.status) == 0
		if c.init && !c.sidecar && !c.done() {
			break // those after it have not had their turn
		}
	}
	if len(causes) > 0 {
		return causes, nil
	}
	if cause, lost, err := l.lostNode(ctx, s, node); lost || err != nil {
		return []blueberry.Cause{cause}, err
	}
	if waiting {
		if found, err := p.mounts(ctx); len(found) > 0 || err != nil {
			return found, err
		}
	}
	l.open = true
	return p.gates(), nil
}

// podLook is a pod that is looked at.
type podLook struct {
	*look
	suspect
	pod   *unstructured.Unstructured
	notes []remark
	asked bool // for the notes
}

// container is one container of a pod, as it should be and as it is.
type container struct {
	name                string
	init, sidecar       bool
	spec, status        map[string]any
	waiting, terminated map[string]any // how it is; both nil for one that runs
	ended               map[string]any // how its last run ended; nil for one that never did
	restarts            int64
}

func (c container) done() bool { return c.terminated != nil && c.terminated["exitCode"] == int64(0) }

func (c container) running() bool {
	state, _ := c.status["state"].(map[string]any)
	return state["running"] != nil
}

// label is how sentences name it.
func (c container) label() string {
	if c.init && !c.sidecar {
		return "init container " + c.name
	}
	return "container " + c.name
}

// containers are the init containers, then the others.
func (p *podLook) containers() []container {
	var out []container
	for _, sort := range []struct{ spec, status string }{{"initContainers", "initContainerStatuses"}, {"containers", "containerStatuses"}} {
		states := map[string]map[string]any{}
		list, _, _ := unstructured.NestedFieldNoCopy(p.pod.Object, "status", sort.status)
		for _, x := range objects(list) {
			states[text(x["name"])] = x
		}
		list, _, _ = unstructured.NestedFieldNoCopy(p.pod.Object, "spec", sort.spec)
		for _, spec := range objects(list) {
			c := container{name: text(spec["name"]), spec: spec, status: states[text(spec["name"])], init: sort.spec == "initContainers"}
			c.sidecar = c.init && spec["restartPolicy"] == "Always"
			state, _ := c.status["state"].(map[string]any)
			c.waiting, _ = state["waiting"].(map[string]any)
			c.terminated, _ = state["terminated"].(map[string]any)
			last, _ := c.status["lastState"].(map[string]any)
			if c.ended, _ = last["terminated"].(map[string]any); c.terminated != nil {
				c.ended = c.terminated
			}
			c.restarts, _ = c.status["restartCount"].(int64)
			out = append(out, c)
		}
	}
	return out
}

// events asks for the events of the pod, once.
func (p *podLook) events(ctx context.Context) ([]remark, error) {
	if p.asked {
		return p.notes, nil
	}
	var err error
	p.notes, err = p.look.notes(ctx, "Pod", p.ref.Namespace, p.ref.Name, string(p.pod.GetUID()))
	p.asked = err == nil
	return p.notes, err
}

// container finds out what is wrong with one container.
func (p *podLook) container(ctx context.Context, c container) ([]blueberry.Cause, error) {
	reason, message := text(c.waiting["reason"]), text(c.waiting["message"])
	switch reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed":
		return p.image(ctx, c, reason, message)
	case "CreateContainerConfigError":
		return []blueberry.Cause{p.config(c, reason, message)}, nil
	case "CrashLoopBackOff":
		return p.crash(ctx, c, true)
	case "", "ContainerCreating", "PodInitializing":
	default: // CreateContainerError, RunContainerError, PostStartHookError, …
		return []blueberry.Cause{p.runtime(c, reason, message)}, nil
	}
	switch {
	case c.terminated != nil && !c.done():
		return p.crash(ctx, c, true)
	case c.running() && c.init && !c.sidecar:
		return []blueberry.Cause{p.initRuns(ctx, c)}, nil
	case c.running() && c.status["ready"] != true:
		return p.unready(ctx, c)
	}
	return nil, nil
}

// about is the cause with the container's state as evidence.
func (p *podLook) about(c container, code blueberry.CauseCode, severity blueberry.Severity, reason, message, format string, args ...any) blueberry.Cause {
	out := p.cause(code, severity, format, args...)
	state := reason
	if message != "" {
		state += ": " + message
	}
	out.Evidence = []blueberry.Evidence{blueberry.NewEvidence(fmt.Sprintf("%s of %s", c.label(), p.ref), state, time.Time{})}
	return out
}

// runtime is any other reason of the container runtime.
func (p *podLook) runtime(c container, reason, message string) blueberry.Cause {
	out := p.about(c, blueberry.CauseContainer, blueberry.Fails, reason, message, "%s of pod %s cannot be started: %s", c.label(), p.ref.Name, clip(either(message, reason)))
	out.Fix = fmt.Sprintf("correct command, user, mounts or hooks of component %s as the message says", p.component)
	switch {
	case strings.Contains(message, "executable file not found"), strings.Contains(message, "no such file or directory"):
		out.Fix = fmt.Sprintf("correct command of component %s: the image has no such program", p.component)
	case strings.Contains(message, "runAsNonRoot"):
		out.Fix = fmt.Sprintf("set runAsUser of component %s to a user that is not root, or build the image with one", p.component)
	}
	return out
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// initRuns is an init container that has not ended yet.
func (p *podLook) initRuns(ctx context.Context, c container) blueberry.Cause {
	state, _ := c.status["state"].(map[string]any)
	running, _ := state["running"].(map[string]any)
	since := text(running["startedAt"])
	out := p.about(c, blueberry.CauseInitStuck, blueberry.Waits, "running since "+since, "", "init container %s of pod %s runs since %s and has not ended, so nothing after it starts", c.name, p.ref.Name, since)
	out.Evidence = append(out.Evidence, p.lastLines(ctx, p.suspect, p.ref.Name, c.name, false)...)
	out.Fix = fmt.Sprintf("see in its last lines what it waits for; if it needs none of it, take it out of component %s", p.component)
	return out
}

// config reads which object, or which key of one, a container's environment needs and there is none of.
func (p *podLook) config(c container, reason, message string) blueberry.Cause {
	if kind, object, key := missingRef(message); object != "" {
		return p.missing(c, kind, object, key, blueberry.NewEvidence(fmt.Sprintf("%s of %s", c.label(), p.ref), reason+": "+message, time.Time{}))
	}
	return p.runtime(c, reason, message)
}

// missing is a ConfigMap or Secret that is not there, or a key of one.
func (p *podLook) missing(c container, kind, object, key string, evidence blueberry.Evidence) blueberry.Cause {
	who := "pod " + p.ref.Name
	if c.name != "" {
		who = c.label() + " of " + who
	}
	code := blueberry.CauseConfigMapMissing
	if kind == "Secret" {
		code = blueberry.CauseSecretMissing
	}
	out := p.cause(code, blueberry.Fails, "%s needs %s %s, which is not there", who, kind, object)
	out.Fix = fmt.Sprintf("create %s %s in namespace %s, or correct its name in the values of component %s", kind, object, p.ref.Namespace, p.component)
	if key != "" {
		out = p.cause(blueberry.CauseKeyMissing, blueberry.Fails, "%s needs key %s of %s %s, which has no such key", who, key, kind, object)
		out.Fix = fmt.Sprintf("add key %s to %s %s, or correct the key in the values of component %s", key, kind, object, p.component)
	}
	out.Evidence = []blueberry.Evidence{evidence}
	return out
}

// mounts finds out why the volumes or the sandbox of a pod cannot be made. The events say it, and they come after the pod.
func (p *podLook) mounts(ctx context.Context) ([]blueberry.Cause, error) {
	list, err := p.events(ctx)
	if err != nil {
		return nil, err
	}
	if n, ok := newest(list, "", "MountVolume", "FailedMount"); ok {
		return []blueberry.Cause{p.mount(n)}, nil
	}
	if n, ok := newest(list, "", "", "FailedMount", "FailedAttachVolume", "FailedMapVolume"); ok {
		return []blueberry.Cause{p.mount(n)}, nil
	}
	if n, ok := newest(list, "", "", "FailedCreatePodSandBox", "NetworkNotReady"); ok {
		out := p.cause(blueberry.CauseContainer, blueberry.Waits, "the sandbox of pod %s cannot be made: %s", p.ref.Name, clip(n.message))
		out.Evidence = []blueberry.Evidence{n.evidence()}
		out.Fix = "mend the network plugin or container runtime of the node"
		return []blueberry.Cause{out}, nil
	}
	return nil, nil
}

// mount reads why a volume is not there for a pod.
func (p *podLook) mount(n remark) blueberry.Cause {
	volume := ""
	if _, after, ok := strings.Cut(n.message, `for volume "`); ok {
		volume, _, _ = strings.Cut(after, `"`)
	}
	if kind, object, key := missingRef(n.message); object != "" || key != "" {
		if object == "" {
			object = p.sourceOf(volume, kind)
		}
		return p.missing(container{}, kind, object, key, n.evidence())
	}
	out := p.cause(blueberry.CauseVolumePending, blueberry.Waits, "volume %s of pod %s cannot be mounted: %s", volume, p.ref.Name, clip(n.message))
	out.Evidence = []blueberry.Evidence{n.evidence()}
	out.Fix = "see that the volume is not held by a pod on another node and that its storage driver runs"
	return out
}

// sourceOf names the Secret or ConfigMap that a volume of the pod is made of.
func (p *podLook) sourceOf(volume, kind string) string {
	list, _, _ := unstructured.NestedFieldNoCopy(p.pod.Object, "spec", "volumes")
	for _, v := range objects(list) {
		if v["name"] != volume {
			continue
		}
		if secret, ok := v["secret"].(map[string]any); ok && kind == "Secret" {
			return text(secret["secretName"])
		}
		if config, ok := v["configMap"].(map[string]any); ok && kind == "ConfigMap" {
			return text(config["name"])
		}
	}
	return "of volume " + volume
}

// gates tells of a readiness gate that nobody has opened.
func (p *podLook) gates() []blueberry.Cause {
	list, _, _ := unstructured.NestedFieldNoCopy(p.pod.Object, "spec", "readinessGates")
	for _, g := range objects(list) {
		if kind := text(g["conditionType"]); !hasCondition(p.pod, kind) {
			out := p.cause(blueberry.CauseReadiness, blueberry.Waits, "readiness gate %s of pod %s is not open", kind, p.ref.Name)
			out.Fix = "see why the controller that sets this condition (of a load balancer, say) does not"
			out.Evidence = []blueberry.Evidence{blueberry.NewEvidence("conditions of "+p.ref.String(), "no condition "+kind+" is True", time.Time{})}
			return []blueberry.Cause{out}
		}
	}
	return nil
}

// lostNode reports whether the node of a pod is not ready.
func (l *look) lostNode(ctx context.Context, s suspect, name string) (blueberry.Cause, bool, error) {
	node, err := l.get(ctx, schema.GroupVersionResource{Version: "v1", Resource: "nodes"}, "", name)
	if err != nil || node == nil || hasCondition(node, "Ready") {
		return blueberry.Cause{}, false, err
	}
	out := s.cause(blueberry.CauseNodeNotReady, blueberry.Waits, "node %s, on which pod %s is, is not ready", name, s.ref.Name)
	for _, c := range conditions(node) {
		if c["type"] == "Ready" {
			at, _ := time.Parse(time.RFC3339, text(c["lastTransitionTime"]))
			out.Message += fmt.Sprintf(" (%s)", clip(text(c["reason"])))
			out.Evidence = []blueberry.Evidence{blueberry.NewEvidence("node "+name+", condition Ready", text(c["reason"])+": "+text(c["message"]), at)}
		}
	}
	out.Fix = "mend or replace the node; its pods move after 5 minutes by themselves: kubectl describe node " + name
	return out, true, nil
}
