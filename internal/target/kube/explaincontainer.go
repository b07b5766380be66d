package kube

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// What the kubelet says of what a container needs and there is none of (kubelet 1.28 to 1.36).
var (
	noObject  = regexp.MustCompile(`(configmap|secret) "([^"]+)" not found`)
	noKey     = regexp.MustCompile(`couldn't find key (\S+) in (ConfigMap|Secret) [^/\s]+/(\S+)`)
	noVolKey  = regexp.MustCompile(`references non-existent (secret|config) key: (\S+)`)
	probeKind = regexp.MustCompile(`(Liveness|Readiness|Startup) probe (?:failed|errored[^:]*): (?s:(.*))`)
)

// missingRef reads the kind and name of an object that is not there, or its key that is not. The message of a volume's key has no name.
func missingRef(message string) (kind, object, key string) {
	kinds := map[string]string{"configmap": "ConfigMap", "secret": "Secret", "config": "ConfigMap", "ConfigMap": "ConfigMap", "Secret": "Secret"}
	if m := noObject.FindStringSubmatch(message); m != nil {
		return kinds[m[1]], m[2], ""
	}
	if m := noKey.FindStringSubmatch(message); m != nil {
		return kinds[m[2]], m[3], m[1]
	}
	if m := noVolKey.FindStringSubmatch(message); m != nil {
		return kinds[m[1]], "", m[2]
	}
	return "", "", ""
}

// image finds out why an image cannot be pulled. The kubelet's back-off may not say it; then the event of the pull does.
func (p *podLook) image(ctx context.Context, c container, reason, message string) ([]blueberry.Cause, error) {
	image := text(c.spec["image"])
	said, evidence := message, blueberry.NewEvidence(fmt.Sprintf("%s of %s", c.label(), p.ref), reason+": "+message, time.Time{})
	code := imageCode(reason, said, image)
	if code == blueberry.CauseImagePull && (reason == "ImagePullBackOff" || reason == "ErrImagePull") {
		list, err := p.events(ctx)
		if err != nil {
			return nil, err
		}
		if n, ok := newest(list, c.name, "pull", "Failed"); ok {
			said, evidence = n.message, n.evidence()
			code = imageCode(reason, said, image)
		} else {
			p.open = true
		}
	}
	out := p.cause(code, blueberry.Fails, "")
	out.Evidence = []blueberry.Evidence{evidence}
	of := fmt.Sprintf("image %s of %s of pod %s", image, c.label(), p.ref.Name)
	switch code {
	case blueberry.CauseImageMissing:
		out.Message = of + " is not found in its registry"
		out.Fix = fmt.Sprintf("correct image of component %s in the blueprint, or push the image with that tag", p.component)
		if reason == "ErrImageNeverPull" {
			out.Message = of + " is not on the node, and its pull policy is Never"
			out.Fix = fmt.Sprintf("set imagePullPolicy of component %s to IfNotPresent, or load the image onto the nodes", p.component)
		}
	case blueberry.CauseImageDenied:
		out.Message = of + " may not be pulled: the registry wants other credentials, or has no such repository"
		out.Fix = fmt.Sprintf("give the namespace a pull secret for the registry (imagePullSecrets), or correct image of component %s", p.component)
	case blueberry.CauseImageLimited:
		out.Severity = blueberry.Waits
		out.Message = of + " is not pulled now: the registry limits how often one may pull"
		out.Fix = "nothing, if it passes; else pull with a credential (imagePullSecrets) or by way of a mirror of your own"
	default:
		out.Message = fmt.Sprintf("%s cannot be pulled: %s", of, clip(either(said, reason)))
		out.Fix = "see that the registry can be reached from the nodes and that its certificate is trusted there"
		if reason == "InvalidImageName" {
			out.Message = fmt.Sprintf("%s is no valid name of an image", of)
			out.Fix = fmt.Sprintf("correct image of component %s in the blueprint", p.component)
		}
	}
	return []blueberry.Cause{out}, nil
}

// imageCode reads what a registry or a runtime answered. The name of the image is no part of the answer.
func imageCode(reason, message, image string) blueberry.CauseCode {
	name, _, _ := strings.Cut(image, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	low := strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(message, image, ""), name, ""))
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(low, w) {
				return true
			}
		}
		return false
	}
	switch {
	case reason == "ErrImageNeverPull":
		return blueberry.CauseImageMissing
	case reason == "InvalidImageName":
		return blueberry.CauseImagePull
	case has("toomanyrequests", "too many requests", "429", "rate limit"):
		return blueberry.CauseImageLimited
	case has("manifest unknown", "name unknown", "manifest_unknown", "name_unknown"):
		return blueberry.CauseImageMissing
	case has("unauthorized", "denied", "forbidden", "authentication required", "authorization failed", "no basic auth", "401", "403"):
		return blueberry.CauseImageDenied
	case has("not found", "no such image", "404", "does not exist"):
		return blueberry.CauseImageMissing
	}
	return blueberry.CauseImagePull
}

// crash finds out why a container ended. Stays says that it is down now; else it runs again.
func (p *podLook) crash(ctx context.Context, c container, stays bool) ([]blueberry.Cause, error) {
	severity := blueberry.Fails
	if !stays {
		severity = blueberry.Waits
	}
	code, _ := c.ended["exitCode"].(int64)
	reason := text(c.ended["reason"])
	ended := blueberry.NewEvidence(fmt.Sprintf("%s of %s, last run", c.label(), p.ref), endedText(c), endedAt(c))
	restarts := fmt.Sprintf("%d restarts", c.restarts)
	if c.restarts == 1 {
		restarts = "1 restart"
	}
	if reason == "OOMKilled" {
		out := p.cause(blueberry.CauseOutOfMemory, severity, "%s of pod %s was killed at its memory limit of %s (%s)", c.label(), p.ref.Name, limitOf(c, "memory"), restarts)
		out.Fix = fmt.Sprintf("raise resources.limits.memory of component %s, or find what uses the memory", p.component)
		if limitOf(c, "memory") == "" {
			out.Message = fmt.Sprintf("%s of pod %s was killed because its node ran out of memory; it has no limit (%s)", c.label(), p.ref.Name, restarts)
			out.Fix = fmt.Sprintf("set resources.requests.memory and resources.limits.memory of component %s to what it uses", p.component)
		}
		out.Evidence = append([]blueberry.Evidence{ended}, p.lastLines(ctx, p.suspect, p.ref.Name, c.name, true)...)
		return []blueberry.Cause{out}, nil
	}
	list, err := p.events(ctx)
	if err != nil {
		return nil, err
	}
	if out, ok := p.killedByProbe(c, list, code, severity); ok {
		out.Evidence = append(out.Evidence, ended)
		return []blueberry.Cause{out}, nil
	}
	if reason == "StartError" || reason == "ContainerCannotRun" {
		return []blueberry.Cause{p.runtime(c, reason, text(c.ended["message"]))}, nil
	}
	what := blueberry.CauseCrash
	if c.init && !c.sidecar {
		what = blueberry.CauseInitStuck
	}
	out := p.cause(what, severity, "%s of pod %s ends with exit code %d%s (%s)", c.label(), p.ref.Name, code, exitText(code), restarts)
	out.Evidence = append([]blueberry.Evidence{ended}, p.lastLines(ctx, p.suspect, p.ref.Name, c.name, true)...)
	out.Fix = fmt.Sprintf("its last lines say why; correct env, command or the image of component %s", p.component)
	switch {
	case c.ended == nil:
		out.Message = fmt.Sprintf("%s of pod %s ends again and again (%s)", c.label(), p.ref.Name, restarts)
		p.open = true
	case code == 0:
		out.Message = fmt.Sprintf("%s of pod %s ends by itself with exit code 0, where it should go on (%s)", c.label(), p.ref.Name, restarts)
		out.Fix = fmt.Sprintf("let the program of component %s stay in the foreground, or make it a Job", p.component)
	case code == 126 || code == 127:
		out.Fix = fmt.Sprintf("correct command of component %s: the image has no such program, or it cannot be run", p.component)
	}
	return []blueberry.Cause{out}, nil
}

// killedByProbe reports whether the kubelet ended a container because of its liveness or startup probe.
func (p *podLook) killedByProbe(c container, list []remark, code int64, severity blueberry.Severity) (blueberry.Cause, bool) {
	for _, kind := range []string{"Liveness", "Startup"} {
		failed, said := newest(list, c.name, kind+" probe", "Unhealthy")
		killed, ended := newest(list, c.name, c.name+" failed "+strings.ToLower(kind)+" probe", "Killing")
		if !ended && !(said && (code == 0 || code == 137 || code == 143)) {
			continue
		}
		answer := "it gave no answer that the events still have"
		if m := probeKind.FindStringSubmatch(failed.message); m != nil {
			answer = clip(m[2])
		}
		word := strings.ToLower(kind)
		out := p.cause(blueberry.CauseLiveness, severity, "%s of pod %s was ended because its %s probe%s failed: %s", c.label(), p.ref.Name, word, probeText(c, word), answer)
		out.Fix = fmt.Sprintf("see that the program answers health in time, or raise probes.%s.failureThreshold and timeoutSeconds of component %s", word, p.component)
		for _, n := range []remark{failed, killed} {
			if n.reason != "" {
				out.Evidence = append(out.Evidence, n.evidence())
			}
		}
		return out, true
	}
	return blueberry.Cause{}, false
}

// unready finds out why a container that runs is not ready.
func (p *podLook) unready(ctx context.Context, c container) ([]blueberry.Cause, error) {
	list, err := p.events(ctx)
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{"Startup", "Readiness"} {
		n, ok := newest(list, c.name, kind+" probe", "Unhealthy")
		if !ok || kind == "Startup" && c.status["started"] == true {
			continue
		}
		if c.restarts > 0 && !n.at.After(endedAt(c)) {
			continue // it is about a run that has ended
		}
		answer := clip(n.message)
		if m := probeKind.FindStringSubmatch(n.message); m != nil {
			answer = clip(m[2])
		}
		code, word := blueberry.CauseReadiness, strings.ToLower(kind)
		if kind == "Startup" {
			code = blueberry.CauseLiveness // it ends the container too
		}
		out := p.cause(code, blueberry.Waits, "%s of pod %s does not pass its %s probe%s: %s", c.label(), p.ref.Name, word, probeText(c, word), answer)
		out.Fix = fmt.Sprintf("see why the program of component %s answers so, or correct health and port of the component in the blueprint", p.component)
		out.Evidence = []blueberry.Evidence{n.evidence()}
		return []blueberry.Cause{out}, nil
	}
	if c.restarts > 0 && c.ended != nil {
		return p.crash(ctx, c, false)
	}
	if c.spec["readinessProbe"] == nil {
		return nil, nil
	}
	p.open = true
	out := p.about(c, blueberry.CauseReadiness, blueberry.Waits, "running, not ready", "", "%s of pod %s runs and has not passed its readiness probe%s yet", c.label(), p.ref.Name, probeText(c, "readiness"))
	out.Fix = fmt.Sprintf("nothing, if it passes; else see that the program of component %s answers the probe", p.component)
	return []blueberry.Cause{out}, nil
}

// probeText says what a probe asks: " (GET /healthz on port 8080)".
func probeText(c container, kind string) string {
	probe, _ := c.spec[kind+"Probe"].(map[string]any)
	for _, how := range []string{"httpGet", "tcpSocket", "grpc", "exec"} {
		ask, ok := probe[how].(map[string]any)
		switch {
		case !ok:
		case how == "httpGet":
			return fmt.Sprintf(" (GET %s on port %v)", either(text(ask["path"]), "/"), ask["port"])
		case how == "exec":
			return " (a command)"
		default:
			return fmt.Sprintf(" (%s on port %v)", strings.TrimSuffix(how, "Socket"), ask["port"])
		}
	}
	return ""
}

func limitOf(c container, resource string) string {
	resources, _ := c.spec["resources"].(map[string]any)
	limits, _ := resources["limits"].(map[string]any)
	return text(limits[resource])
}

func endedText(c container) string {
	s := fmt.Sprintf("%s, exit code %v", text(c.ended["reason"]), c.ended["exitCode"])
	if m := text(c.ended["message"]); m != "" {
		s += ": " + m
	}
	return s
}

func endedAt(c container) time.Time {
	at, err := time.Parse(time.RFC3339, text(c.ended["finishedAt"]))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// exitText says what exit codes mean by convention.
func exitText(code int64) string {
	switch code {
	case 126:
		return ", which says that the command cannot be run"
	case 127:
		return ", which says that there is no such command"
	case 134:
		return ", which says that it aborted (SIGABRT)"
	case 137:
		return ", which says that it was killed (SIGKILL)"
	case 139:
		return ", which says that it read memory that is not its own (SIGSEGV)"
	case 143:
		return ", which says that it was told to end (SIGTERM)"
	}
	return ""
}
