package provision

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// tell records an event of an environment.
func (p *Provisioner) tell(ctx context.Context, tx Tx, e blueberry.Environment, t blueberry.EventType, actor blueberry.Actor, message string) error {
	return tx.AppendEvent(ctx, blueberry.Event{
		Type: t, EnvironmentID: e.ID, Project: e.Project, Environment: e.Name, Actor: actor.Name, Message: message, At: p.Now(),
	})
}

// deed is what an actor did to an environment: its event, and what its audit entry says.
type deed struct {
	event         blueberry.EventType
	grant         blueberry.Grant // that it took
	message       string
	before, after map[string]any // the fields that it changed
}

// act records what an actor did: an event and an audit entry.
func (p *Provisioner) act(ctx context.Context, tx Tx, e blueberry.Environment, actor blueberry.Actor, d deed) error {
	if err := p.tell(ctx, tx, e, d.event, actor, d.message); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, blueberry.AuditEntry{
		Actor: actor, Action: string(d.grant), Resource: e.ID, Project: e.Project, Detail: d.message, At: p.Now(),
		Before: blueberry.AuditFields(d.before), After: blueberry.AuditFields(d.after),
	})
}

// The fields of an environment as the audit has them. Values of parameters, overrides and config sets are never among them.

func leaseFields(l blueberry.Lease) map[string]any {
	if l.ExpiresAt.IsZero() {
		return map[string]any{"expires_at": nil}
	}
	f := map[string]any{"expires_at": l.ExpiresAt.UTC().Format(time.RFC3339)}
	if l.PinnedBy != "" {
		f["pinned_by"] = l.PinnedBy
	}
	return f
}

func phaseFields(e blueberry.Environment) map[string]any { return map[string]any{"phase": e.Phase} }

func driftFields(d blueberry.DriftPolicy) map[string]any {
	ignored := []string{}
	for _, i := range d.Ignore {
		ignored = append(ignored, strings.Join([]string{i.Kind, i.Name, i.Path}, " "))
	}
	return map[string]any{"mode": d.Mode, "ignore": ignored}
}

func labelFields(l blueberry.Labels) map[string]any { return map[string]any{"labels": l.Lines()} }

func quotaFields(q blueberry.Quota) map[string]any {
	limits := func(l blueberry.Limits) map[string]any {
		f := map[string]any{}
		for name, n := range map[string]*int64{"environments": l.Environments, "cpu": l.CPU, "memory": l.Memory, "pods": l.Pods, "storage": l.Storage} {
			if n != nil {
				f[name] = *n
			}
		}
		return f
	}
	f := map[string]any{"limits": limits(q.Limits)}
	for kind, l := range q.Kinds {
		f["limits_"+string(kind)] = limits(l)
	}
	return f
}

func holdFields(in blueberry.PlanInput) map[string]any {
	return map[string]any{"hold": strings.TrimSpace(in.Kind+" "+in.Name) + " " + in.Value}
}

// revisionFields are what a revision is made of.
func revisionFields(rev blueberry.Revision) map[string]any {
	f := map[string]any{"revision": rev.Number}
	if c := rev.Source.Commit; c != "" {
		f["commit"] = c
	}
	for _, s := range rev.Sources {
		f["commit of "+s.Name] = s.Commit
	}
	for component, image := range rev.Images {
		f["image of "+component] = image
	}
	if c := rev.Catalogue; c.Name != "" {
		f["blueprint"] = c.String()
	}
	var sets []string
	for _, u := range rev.Config {
		u.Version = u.Number
		sets = append(sets, u.String())
	}
	if len(sets) > 0 {
		f["config_sets"] = sets
	}
	return f
}

// newFields are what an environment begins as.
func newFields(e blueberry.Environment, rev blueberry.Revision) map[string]any {
	f := revisionFields(rev)
	maps.Copy(f, leaseFields(e.Lease))
	f["name"], f["target"], f["owner"] = e.Name, e.Target, e.Owner
	if len(e.Labels) > 0 {
		maps.Copy(f, labelFields(e.Labels))
	}
	return f
}
