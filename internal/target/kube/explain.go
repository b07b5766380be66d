package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Bounds of one Explain.
const (
	explainTimeout = 3 * time.Second // all questions to the place together
	logTimeout     = 2 * time.Second // the last lines of one container
	explainMost    = 10              // objects of one kind that are looked at, by name
	explainKept    = time.Minute     // how long an answer holds of an object that does not change
	explainTries   = 5               // how often an object that does not say enough is looked at again by itself: after 1, 2, 4, 8 and 16 s
)

// Explain implements target.Explainer.
//
// What is not right is known from the watch: a healthy environment costs a walk over its records (some 50 µs for 20 objects) and no call. Each object that
// is not right costs one read, and as far as they can say more its events (one list), a claim, a node, the last lines of one container; all nodes are listed
// at most once in 15 s for the driver. What was found holds until the object changes, for a minute at most, so a call for an environment where nothing has
// changed asks nothing. At most 10 objects of a kind are looked at, for at most 3 s; what is not found out by then is at the next call.
//
// An object may say nothing yet because its events come after it: then the environment is told as changed (Watch) after 1 s, and again after 2, 4, 8 and 16.
func (d *Driver) Explain(ctx context.Context, ref target.Ref, want []blueberry.LedgerEntry) ([]blueberry.Cause, error) {
	of, err := d.view(ctx, want)
	if err != nil {
		return nil, err
	}
	d.followCertificates(ctx)
	found := d.cache.suspects(ref)
	var causes []blueberry.Cause
	for i, w := range want {
		if of[i] == nil {
			causes = append(causes, kindUnknown(w))
		}
	}
	if len(found) > 0 {
		l := &look{Driver: d, env: keyOf(ref), began: time.Now(), logged: map[string]bool{}}
		told, err := l.all(ctx, found)
		if err != nil {
			return nil, err
		}
		causes = append(causes, told...)
	}
	causes = gather(causes)
	blueberry.SortCauses(causes)
	return causes, nil
}

// suspect is an object that is not right, or that has a warning.
type suspect struct {
	kind      *kind
	ref       blueberry.ObjectRef
	component string
	version   uint64
	why       suspicion
	health    blueberry.Health
	message   string // of health
	warning   string
	failure   blueberry.Failure
	at        time.Time // of what was last read of it; zero while nothing was
}

// suspicion says what is to be found out of an object.
type suspicion int

const (
	podNotReady suspicion = iota
	podsDenied            // of a workload; the record says why
	podsMissing           // of a workload, for a reason that only its events have
	jobNotDone
	claimPending
	serviceEmpty
	warned
	leavingNamespace
	held // being deleted, and not gone
	certificatePending
	rolloutStopped
	saysItself // the record has all that is known; told if nothing else explains the component
)

// short is how sentences name the object: "Deployment web".
func (s suspect) short() string { return s.ref.Kind + " " + s.ref.Name }

func (s suspect) cause(code blueberry.CauseCode, severity blueberry.Severity, format string, args ...any) blueberry.Cause {
	return blueberry.Cause{Code: code, Severity: severity, Step: code.Step(), Component: s.component, Object: s.ref, Message: fmt.Sprintf(format, args...)}
}

// suspects lists what is not right of an environment, ordered by kind and name.
func (c *cache) suspects(ref target.Ref) []suspect {
	c.mu.Lock()
	defer c.mu.Unlock()
	env := c.envs[keyOf(ref)]
	if env == nil {
		return nil
	}
	type tally struct{ wanted, pods, ready int }
	tallies := map[string]tally{}
	served, leaving := map[name]bool{}, false
	for r := range env.records {
		p := r.part
		leaving = leaving || r.deleting && r.kind.gvk.Kind == "Namespace" && r.kind.gvk.Group == ""
		if p.slice != "" && p.ready {
			served[name{r.name.namespace, p.slice}] = true
		}
		if p.wanted > 0 || p.pod {
			t := tallies[r.component]
			tallies[r.component] = tally{t.wanted + int(p.wanted), t.pods + count(p.pod), t.ready + count(p.pod && p.ready)}
		}
	}
	var out []suspect
	for r := range env.records {
		t := tallies[r.component]
		why, ok := r.suspicion(t.wanted, t.pods, t.ready, served[r.name])
		if leaving && r.finalized && !r.deleting { // its turn comes after 5 s; by then this is no news
			why, ok = held, true
		}
		if !ok {
			continue
		}
		out = append(out, suspect{
			kind: r.kind, component: r.component, version: r.version, why: why, health: r.health, message: r.message, warning: r.warning, failure: r.part.failure,
			ref: blueberry.ObjectRef{APIVersion: r.kind.apiVersion, Kind: r.kind.gvk.Kind, Namespace: r.name.namespace, Name: r.name.name},
		})
	}
	slices.SortFunc(out, func(a, b suspect) int {
		return cmp.Or(cmp.Compare(a.why, b.why), strings.Compare(a.ref.Kind, b.ref.Kind), strings.Compare(a.ref.Name, b.ref.Name))
	})
	return out
}

// suspicion tells whether an object is not right, and what is to be found out. It is given how many pods its component wants, has, and has ready, and
// whether a Service has an endpoint.
func (r *record) suspicion(wanted, pods, ready int, served bool) (suspicion, bool) {
	gvk := r.kind.gvk
	core := gvk.Group == ""
	switch {
	case r.deleting && core && gvk.Kind == "Namespace":
		return leavingNamespace, true
	case r.part.pod:
		return podNotReady, !r.part.ready
	case r.deleting:
		return held, !(core && gvk.Kind == "Pod")
	case gvk.Group == "batch" && gvk.Kind == "Job":
		return jobNotDone, r.part.failure.Reason != "" || r.part.wanted > 0 && r.health != blueberry.HealthCurrent && pods == ready
	case r.part.failure.Reason != "":
		return podsDenied, true
	case core && gvk.Kind == "Service" && r.part.service && !served && wanted > 0 && ready >= wanted:
		return serviceEmpty, true
	case r.warning != "":
		return warned, true
	case r.health == blueberry.HealthCurrent || r.health == blueberry.HealthUnknown || r.part.slice != "" || r.part.service:
		return 0, false
	case core && gvk.Kind == "PersistentVolumeClaim":
		return claimPending, true
	case gvk.Group == "cert-manager.io" && gvk.Kind == "Certificate":
		return certificatePending, true
	case gvk.Group == "argoproj.io" && gvk.Kind == "Rollout":
		return rolloutStopped, true
	case r.part.wanted > 0 && pods < wanted && (gvk.Kind == "StatefulSet" || gvk.Kind == "DaemonSet"):
		return podsMissing, true
	case gvk.Group == "policy" || gvk.Group == "autoscaling" || core && gvk.Kind == "Pod":
		return 0, false // they follow the pods
	}
	return saysItself, true
}

// explained is what was found out of an object.
type explained struct {
	version uint64
	why     suspicion
	causes  []blueberry.Cause
	until   time.Time // then it is looked at again although it has not changed
	tries   int       // how often it did not say enough
}

// of reports whether it was found out of an object as it is in a version.
func (x explained) of(s suspect, version uint64) bool {
	return x.why == s.why && x.version != 0 && x.version >= version
}

// look is one Explain.
type look struct {
	*Driver
	env    envKey
	began  time.Time
	logged map[string]bool // components and containers whose last lines are told already
	open   bool            // the object that is looked at may say more soon

	leaving bool // the namespace is being deleted
}

// all looks at all that is not right, as far as it is not known, and remembers it.
func (l *look) all(ctx context.Context, found []suspect) ([]blueberry.Cause, error) {
	ctx, cancel := context.WithTimeout(ctx, explainTimeout)
	defer cancel()
	known := l.cache.recall(l.env)
	fresh := make(map[blueberry.ObjectRef]explained, len(found))
	perKind := map[string]int{}
	var causes, rest []blueberry.Cause
	var wake time.Duration
	l.leaving = slices.ContainsFunc(found, func(s suspect) bool { return s.why == leavingNamespace })
	for _, s := range found {
		if perKind[s.ref.Kind]++; perKind[s.ref.Kind] > explainMost {
			continue
		}
		if s.why == saysItself {
			rest = append(rest, s.failed())
			continue
		}
		was := known[s.ref]
		now, holds := was, was.of(s, s.version)
		switch {
		case holds && l.began.Before(was.until):
		case ctx.Err() == nil:
			var err error
			if now, err = l.one(ctx, s, was); err != nil {
				return nil, err
			}
		default: // the time is up: what holds of an object that has not changed is told until more is known
			if wake = time.Second; holds {
				fresh[s.ref], causes = was, append(causes, was.causes...)
			}
			continue
		}
		if now.tries > 0 && now.tries <= explainTries && (wake == 0 || now.until.Sub(l.began) < wake) {
			wake = now.until.Sub(l.began)
		}
		fresh[s.ref] = now
		causes = append(causes, now.causes...)
	}
	l.cache.remember(l.env, fresh)
	if wake > 0 {
		l.lookAgain(l.env, wake)
	}
	if held := func(c blueberry.Cause) bool {
		return c.Code == blueberry.CauseNamespaceGoing && c.Object.Kind != "Namespace"
	}; slices.ContainsFunc(causes, held) { // then what the namespace says of itself is no news
		causes = slices.DeleteFunc(causes, func(c blueberry.Cause) bool { return c.Code == blueberry.CauseNamespaceGoing && !held(c) })
	}
	for _, c := range rest { // an object that is not right because its pods are not is explained by these
		if !slices.ContainsFunc(causes, func(x blueberry.Cause) bool { return x.Component == c.Component && x.Severity != blueberry.Warns }) {
			causes = append(causes, c)
		}
	}
	return causes, nil
}

// one looks at one object.
func (l *look) one(ctx context.Context, s suspect, was explained) (explained, error) {
	l.open, s.at = false, l.began
	causes, version, err := l.explain(ctx, s)
	if err != nil {
		if ctx.Err() == nil {
			return explained{}, err
		}
		l.open = true // the time is up; what is known is told, and no less than before
		if len(was.causes) > 0 && was.of(s, max(version, s.version)) {
			causes = was.causes
		}
	}
	now := explained{version: max(version, s.version), why: s.why, causes: causes, until: l.began.Add(explainKept)}
	if l.open {
		now.tries = 1
		if was.why == s.why && was.version == now.version {
			now.tries = was.tries + 1
		}
		if now.tries <= explainTries {
			now.until = l.began.Add(time.Second << (now.tries - 1))
		}
	}
	return now, nil
}

// explain finds the causes of one object. The version is that of the object as it was read; 0 when it was not.
func (l *look) explain(ctx context.Context, s suspect) (causes []blueberry.Cause, version uint64, err error) {
	switch s.why {
	case podsDenied:
		return []blueberry.Cause{denial(s, s.failure.Message)}, 0, nil
	case podsMissing:
		causes, err = l.missingPods(ctx, s)
		return causes, 0, err
	}
	live, err := l.read(ctx, s)
	if err != nil || live == nil {
		return nil, 0, err
	}
	switch s.why {
	case podNotReady:
		causes, err = l.pod(ctx, s, live)
	case jobNotDone:
		causes, err = l.job(ctx, s, live)
	case claimPending:
		causes, err = l.claim(ctx, s, live)
	case serviceEmpty:
		causes, err = l.service(ctx, s, live)
	case warned:
		causes, err = l.warned(ctx, s, live)
	case leavingNamespace:
		causes, err = l.namespace(ctx, s, live)
	case held:
		causes = l.held(s, live)
	case certificatePending:
		causes, err = l.certificate(ctx, s, live)
	case rolloutStopped:
		causes = rollout(s, live)
	}
	return causes, versionOf(live), err
}

func (c *cache) recall(key envKey) map[blueberry.ObjectRef]explained {
	c.mu.Lock()
	defer c.mu.Unlock()
	if env := c.envs[key]; env != nil {
		return env.explained // it is replaced, never altered
	}
	return nil
}

func (c *cache) remember(key envKey, found map[blueberry.ObjectRef]explained) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if env := c.envs[key]; env != nil {
		env.explained = found
	}
}

// lookAgain tells the watchers of an environment after a while, so that they ask again.
func (d *Driver) lookAgain(key envKey, after time.Duration) {
	c := d.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	env := c.envs[key]
	if env == nil || env.again || len(c.watchers) == 0 {
		return
	}
	env.again = true
	time.AfterFunc(after, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		env.again = false
		if d.ctx.Err() == nil && c.envs[key] == env {
			c.mark(key)
		}
	})
}

// gather makes one of causes that say the same of several objects of a component: ten pods that cannot pull one image are one cause.
func gather(list []blueberry.Cause) []blueberry.Cause {
	blueberry.SortCauses(list)
	type key struct {
		code      blueberry.CauseCode
		severity  blueberry.Severity
		component string
		kind      string
		text      string
	}
	at, more := map[key]int{}, map[int]int{}
	var out []blueberry.Cause
	for _, c := range list {
		k := key{c.Code, c.Severity, c.Component, c.Object.Kind, sameText(c)}
		if i, ok := at[k]; ok {
			if out[i].Object != c.Object {
				more[i]++
			}
			if len(out[i].Evidence) < len(c.Evidence) {
				out[i].Evidence = c.Evidence
			}
			continue
		}
		at[k] = len(out)
		out = append(out, c)
	}
	for i, n := range more {
		out[i].Message += fmt.Sprintf(" (and so it is with %d more)", n)
	}
	return out
}

// sameText is a message without the object's name and without numbers.
func sameText(c blueberry.Cause) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, strings.ReplaceAll(c.Message, c.Object.Name, ""))
}

func kindUnknown(w blueberry.LedgerEntry) blueberry.Cause {
	code := blueberry.CauseKindUnknown
	return blueberry.Cause{
		Code: code, Severity: blueberry.Waits, Step: code.Step(), Component: w.Component, Object: w.ObjectRef,
		Message:  fmt.Sprintf("the target does not know the kind %s of %s", w.Kind, w.APIVersion),
		Evidence: []blueberry.Evidence{blueberry.NewEvidence("API discovery of the target", "no resource of kind "+w.Kind+" in "+w.APIVersion, time.Time{})},
		Fix:      fmt.Sprintf("install the CustomResourceDefinition of %s on the target, with its operator, or take %s %s out of the component", w.Kind, w.Kind, w.Name),
	}
}

// failed is what an object says of itself.
func (s suspect) failed() blueberry.Cause {
	c := s.cause(blueberry.CauseObjectFailed, blueberry.Waits, "%s is not there yet: %s", s.short(), clip(s.message))
	c.Fix = fmt.Sprintf("nothing, if it passes; else read the conditions of the object: kubectl describe %s %s", strings.ToLower(s.ref.Kind), s.ref.Name)
	if s.health == blueberry.HealthFailed {
		c.Severity = blueberry.Fails
		c.Message = fmt.Sprintf("%s has failed: %s", s.short(), clip(s.message))
		c.Fix = fmt.Sprintf("read the conditions of the object and correct what they name: kubectl describe %s %s", strings.ToLower(s.ref.Kind), s.ref.Name)
	}
	c.Evidence = []blueberry.Evidence{blueberry.NewEvidence("status of "+s.ref.String(), s.message, time.Time{})}
	return c
}
