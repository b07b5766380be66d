package argocd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// refusedBy is the faults of the objects that the API refused, when it did for good.
func refusedBy(results []result) error {
	var faults []blueberry.Fault
	for _, r := range results {
		if r.status == "SyncFailed" && notYet(r.message) == "" {
			code := "object_invalid"
			if strings.Contains(r.message, "forbidden") || strings.Contains(r.message, "denied") {
				code = "object_denied"
			}
			faults = append(faults, blueberry.Fault{Field: r.ObjectRef.String(), Code: code, Message: plainly(r.message)})
		}
	}
	if len(faults) == 0 {
		return nil
	}
	slices.SortFunc(faults, func(a, b blueberry.Fault) int { return strings.Compare(a.Field, b.Field) })
	return &blueberry.Error{Kind: blueberry.Invalid, Code: "TARGET_REFUSED", Detail: "the target refuses objects of the environment", Fields: faults}
}

// notYet says why an object could not be applied although it may be later; empty when that is not known to be so.
func notYet(message string) string {
	why, _ := notYetCode(message)
	return why
}

// notYetCode is notYet with the code of a target.Progress.
func notYetCode(message string) (why, code string) {
	switch {
	case strings.Contains(message, "could not find") && strings.Contains(message, "Kubernetes API"),
		strings.Contains(message, "no matches for kind"), strings.Contains(message, "the server could not find the requested resource"):
		return "the target does not know this kind; is its CustomResourceDefinition installed?", blueberry.CodeKindUnknown
	case strings.Contains(message, "being terminated"):
		return "its namespace is being deleted", blueberry.CodeNamespaceGoing
	case strings.Contains(message, "status unknown for quota"):
		return "the quota of its namespace is not counted yet", ""
	case strings.HasPrefix(message, "namespaces ") && strings.Contains(message, "not found"):
		return "the place does not have its namespace yet", ""
	case strings.Contains(message, "is not permitted in project"):
		return "Argo CD has not seen yet that its project allows it", ""
	case strings.Contains(message, "might have been deleted"):
		return "was deleted while Argo CD waited for it", ""
	}
	return "", ""
}

// plainly takes what kubectl says around the message of the API out of it.
func plainly(message string) string {
	message = strings.TrimSpace(message)
	if _, rest, ok := strings.Cut(message, "error when patching "); ok {
		if _, after, ok := strings.Cut(rest, ": "); ok {
			message = after
		}
	}
	message, _, _ = strings.Cut(message, ". Retrying attempt")
	message, _, _ = strings.Cut(message, ", got &") // the value follows, and it may be a secret
	return message
}

// inWave tells what a sync that runs, or that gave up, waits for.
func (d *Driver) inWave(ctx context.Context, want target.Desired, v view) (target.Progress, error) {
	for _, r := range v.op.results {
		if why, code := notYetCode(r.message); why != "" && r.status == "SyncFailed" {
			if strings.Contains(r.message, "is not permitted in project") {
				d.forgetPrepared(want.Project) // another server may have written over what we allowed
			}
			return target.Progress{Waiting: fmt.Sprintf("%s: %s", r.ObjectRef, why), Code: code}, nil
		}
	}
	var entries []blueberry.LedgerEntry
	wave := map[blueberry.ObjectRef]int{}
	for _, f := range want.Files {
		for _, o := range f.Objects {
			if slices.ContainsFunc(v.op.results, func(r result) bool { return r.phase != "" && same(r.ObjectRef, o) }) {
				entries, wave[o] = append(entries, blueberry.LedgerEntry{ObjectRef: o}), f.Wave
			}
		}
	}
	if len(entries) > 0 {
		seen, err := d.Observe(ctx, want.Ref, entries)
		if err != nil {
			return target.Progress{}, err
		}
		for _, o := range seen.Objects {
			if o.Health != blueberry.HealthCurrent {
				why := fmt.Sprintf("wave %d waits for %s: %s", wave[o.ObjectRef], o.ObjectRef, orElse(o.Message, string(o.Health)))
				return target.Progress{Waiting: why, Code: blueberry.CodeWaveWaiting}, nil
			}
		}
		first := entries[0].ObjectRef // healthy for us, but not for Argo CD
		i := slices.IndexFunc(v.op.results, func(r result) bool { return same(r.ObjectRef, first) })
		return waiting("wave %d waits for Argo CD to find %s healthy: %s", wave[first], first, orElse(v.op.results[i].message, "it says no more")), nil
	}
	return waiting("Argo CD applies commit %.12s: %s", want.Commit, orElse(v.op.message, "it has begun")), nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// same compares objects without their version: Argo CD may tell another one.
func same(a, b blueberry.ObjectRef) bool {
	return a.Kind == b.Kind && a.Group() == b.Group() && a.Name == b.Name && (a.Namespace == b.Namespace || b.Namespace == "")
}

// failed tells what a sync of the commit failed of, and asks for another one now and then: what it lacked may be there by now.
func (d *Driver) failed(ctx context.Context, want target.Desired, v view) (target.Progress, error) {
	cleared, refused := d.clear(ctx, want.Ref, v)
	if cleared || d.now().Sub(v.op.finished) > resync {
		if err := d.start(ctx, v); err != nil {
			return target.Progress{}, err
		}
	}
	if refused != nil {
		return target.Progress{}, refused
	}
	if len(v.op.results) > 0 {
		return d.inWave(ctx, want, v)
	}
	if err := trouble(v.op.message); err != nil {
		return target.Progress{}, err
	}
	return waiting("Argo CD could not apply commit %.12s and tries again: %s", want.Commit, v.op.message), nil
}

// clear takes out of Argo CD's way what it cannot get past by itself: what other hands wrote into objects beside what is ours, and Jobs, which cannot be
// changed and run once. The error is what the API refuses for good.
func (d *Driver) clear(ctx context.Context, ref target.Ref, v view) (cleared bool, err error) {
	refused := refusedBy(v.op.results)
	if refused == nil {
		return false, nil
	}
	isBefore := false // a try from before the way was cleared, of Argo CD's own perhaps, tells nothing any more
	d.memory.edit(ref, func(r *remembered) { isBefore = v.op.started.Before(r.cleared) })
	if isBefore {
		return true, nil
	}
	var jobs, others []blueberry.ObjectRef
	for _, r := range v.op.results {
		switch {
		case r.status != "SyncFailed":
		case r.Kind == "Job" && r.Group() == "batch" && strings.Contains(r.message, "immutable"):
			jobs = append(jobs, r.ObjectRef)
		default:
			others = append(others, r.ObjectRef)
		}
	}
	took, err := d.TakeOver(ctx, ref, others)
	if err != nil {
		return false, err
	}
	if len(jobs) > 0 {
		if _, _, err := d.Prune(ctx, ref, jobs); err != nil {
			return false, err
		}
	}
	if took || len(jobs) > 0 && len(others) == 0 {
		d.memory.edit(ref, func(r *remembered) { r.cleared = d.now() })
		return true, nil
	}
	return false, refused
}

// troubled tells what keeps Argo CD from comparing with Git. It asks again, because that may be over.
func (d *Driver) troubled(ctx context.Context, want target.Desired, v view) error {
	if v.refresh {
		return nil // it is looking
	}
	for _, c := range v.conditions {
		if c.kind != "ComparisonError" && c.kind != "InvalidSpecError" && c.kind != "UnknownError" {
			continue
		}
		if strings.Contains(c.message, "app path does not exist") && !v.knows {
			continue // it has not seen the commit
		}
		if strings.Contains(c.message, "AppProject") || strings.Contains(c.message, "project") && strings.Contains(c.message, "not") {
			d.forgetPrepared(want.Project)
		}
		if d.now().Sub(v.asked) > overdue {
			if err := d.refresh(ctx, v); err != nil {
				return err
			}
		}
		return trouble(c.message)
	}
	return nil
}

// trouble sorts what Argo CD says: what may pass is Unavailable, manifests that it cannot read are Invalid.
func trouble(message string) error {
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(message, w) })
	}
	switch {
	case message == "" || says("Operation terminated"):
		return nil
	case says("authentication required", "authorization failed", "invalid credentials", "Invalid username or password"):
		return blueberry.Errorf(blueberry.Unavailable, "ARGOCD_REPOSITORY", "Argo CD is not let into the GitOps repository: its credential is not accepted; check the user name and the token that the target has for it")
	case says("repository", "ls-remote", "failed to list refs", "git fetch", "Unable to resolve", "unable to resolve"):
		return blueberry.Errorf(blueberry.Unavailable, "ARGOCD_REPOSITORY", "Argo CD cannot read the GitOps repository: check that its repo server reaches it: %s", bounded(message))
	case says("project", "AppProject"):
		return blueberry.Errorf(blueberry.Unavailable, "ARGOCD_PROJECT", "Argo CD does not accept the Application: %s", bounded(message))
	case says("ailed to unmarshal", "ailed to load target state", "Manifest generation error"):
		return blueberry.Errorf(blueberry.Invalid, "ARGOCD_MANIFESTS", "Argo CD cannot read the manifests: %s", bounded(message))
	}
	return blueberry.Errorf(blueberry.Unavailable, "ARGOCD_TROUBLE", "Argo CD cannot compare the environment with Git: %s", bounded(message))
}

// bounded keeps a message readable.
func bounded(message string) string {
	const most = 500
	if len(message) > most {
		return strings.ToValidUTF8(message[:most], "") + "…"
	}
	return message
}

// silent tells when Argo CD has not done for long what it was asked to, nor anything else.
func (d *Driver) silent(v view) error {
	now := d.now()
	if v.asked.IsZero() || now.Sub(v.asked) < silence || now.Sub(d.apps.alive()) < silence {
		return nil
	}
	return blueberry.Errorf(blueberry.Unavailable, "ARGOCD_SILENT",
		"Argo CD does nothing with Application %s since it was asked to: check that argocd-application-controller runs, and that it looks after namespace %s",
		v.name, d.config.Namespace)
}

// trackingRules leave to Argo CD what it writes on each object for itself.
func trackingRules() []blueberry.DriftIgnore {
	var out []blueberry.DriftIgnore
	for _, note := range []string{noteTracking, noteInstallation} {
		out = append(out, blueberry.DriftIgnore{Kind: "*", Name: "*", Path: fmt.Sprintf("metadata.annotations[%q]", note)})
	}
	return out
}

// told is a desired state as the kube driver has to see it.
func (d *Driver) told(want target.Desired) target.Desired {
	want.Ignore = append(slices.Clone(want.Ignore), trackingRules()...)
	return want
}

// Compare implements target.Comparer: it tries Argo CD's own applies.
func (d *Driver) Compare(ctx context.Context, want target.Desired) ([]blueberry.ObjectDiff, error) {
	return d.Driver.Compare(ctx, d.told(want))
}
