package argocd

import (
	"context"
	"errors"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Explain implements target.Explainer: what the objects on the destination cluster show, and what Argo CD says.
func (d *Driver) Explain(ctx context.Context, ref target.Ref, want []blueberry.LedgerEntry) ([]blueberry.Cause, error) {
	out, err := d.Driver.Explain(ctx, ref, want)
	if err != nil {
		return nil, err
	}
	app, err := d.apps.get(ctx, d.config.applicationName(ref))
	switch {
	case errors.Is(err, blueberry.Unavailable), errors.Is(err, blueberry.Forbidden):
		return append(out, unreachable(detail(err))), nil
	case err != nil:
		return nil, err
	case app == nil:
		return out, nil
	}
	return append(out, d.causes(app)...), nil
}

func unreachable(message string) blueberry.Cause {
	return blueberry.Cause{
		Code: blueberry.CauseArgoUnreachable, Severity: blueberry.Waits, Step: blueberry.Synced, Message: message,
		Fix: "see whether Argo CD runs and can be reached; the checks of the target tell more",
	}
}

// causes are what an Application says itself.
func (d *Driver) causes(app *application) []blueberry.Cause {
	var out []blueberry.Cause
	v := view{application: app}
	if app.refresh || app.pending {
		if err := d.silent(v); err != nil {
			out = append(out, unreachable(detail(err)))
		}
	}
	name := d.config.objectRef(app.name)
	for _, c := range app.conditions {
		if c.kind != "ComparisonError" && c.kind != "InvalidSpecError" && c.kind != "UnknownError" {
			continue
		}
		err := trouble(c.message)
		if err == nil {
			continue
		}
		cause := blueberry.Cause{
			Code: blueberry.CauseArgoSync, Severity: blueberry.Waits, Step: blueberry.Synced, Object: name, Message: detail(err),
			Evidence: []blueberry.Evidence{{Source: "Application " + app.name + ", condition " + c.kind, Text: bounded(c.message), At: app.reconciled}},
			Fix:      "mend what Argo CD names; it is asked again by itself",
		}
		if errors.Is(err, blueberry.Invalid) {
			cause.Severity, cause.Fix = blueberry.Fails, "mend the manifests"
		}
		out = append(out, cause)
	}
	if !app.op.failed() && app.op.retries == 0 {
		return out
	}
	for _, r := range app.op.results {
		if r.status != "SyncFailed" {
			continue // its health is told by what is on the cluster
		}
		cause := blueberry.Cause{
			Code: blueberry.CauseArgoSync, Severity: blueberry.Fails, Step: blueberry.Synced, Object: r.ObjectRef, Message: "Argo CD cannot apply it: " + bounded(plainly(r.message)),
			Evidence: []blueberry.Evidence{{Source: "Application " + app.name + ", last sync", Text: bounded(r.message), At: app.op.finished}},
			Fix:      "mend the object; the next revision is applied at once",
		}
		if why := notYet(r.message); why != "" {
			cause.Severity, cause.Message, cause.Fix = blueberry.Waits, why, "see to what is missing; Argo CD is asked again by itself"
		}
		out = append(out, cause)
	}
	return out
}
