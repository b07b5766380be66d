package provision

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// SetProjectLife says how long environments of a project may be pinned at most (0 is the default, below 0 not at all), and when those sleep that have no
// policy of their own; nil leaves it. What is pinned stays pinned. ifVersion 0 means any version.
func (p *Provisioner) SetProjectLife(ctx context.Context, actor blueberry.Actor, name string, maxPinHours *int, sleep *blueberry.SleepPolicy, ifVersion int64) (s ProjectState, err error) {
	if err := mayShapeLife(actor, name, maxPinHours != nil, sleep != nil); err != nil {
		return s, err
	}
	var faults blueberry.Faults
	if maxPinHours != nil && (*maxPinHours < -1 || *maxPinHours > blueberry.MaxPinHours) {
		faults.Add("max_pin_hours", "range", "is %d hours, must be -1 for none, 0 for the default, or up to %d", *maxPinHours, blueberry.MaxPinHours)
	}
	if sleep != nil {
		sleep.Check(&faults, "sleep")
	}
	if err := faults.Err(); err != nil {
		return s, err
	}
	slept := false
	err = p.Record.Update(ctx, func(tx Tx) error {
		project, err := tx.LockProject(ctx, name)
		if err != nil {
			return err
		}
		if ifVersion != 0 && ifVersion != project.Version {
			return blueberry.Errorf(blueberry.PreconditionFailed, "VERSION_MOVED", "project %s is at version %d, the request was made for version %d", name, project.Version, ifVersion)
		}
		was := project
		if maxPinHours != nil {
			project.MaxPinHours = *maxPinHours
		}
		if sleep != nil {
			project.Sleep = *sleep
		}
		slept = !project.Sleep.Equal(was.Sleep)
		if slept || project.MaxPinHours != was.MaxPinHours {
			if err := p.putProjectLife(ctx, tx, actor, was, project); err != nil {
				return err
			}
		}
		s, err = projectState(ctx, tx, name)
		return err
	})
	if err != nil || !slept {
		return s, err
	}
	return s, p.enqueueProject(ctx, name)
}

func mayShapeLife(actor blueberry.Actor, project string, pin, sleep bool) error {
	if sleep || !pin {
		if err := actor.CanIn(project, blueberry.GrantProjectsUpdate); err != nil {
			return err
		}
	}
	if pin {
		return actor.Can(blueberry.GrantProjectsQuota)
	}
	return nil
}

func (p *Provisioner) putProjectLife(ctx context.Context, tx Tx, actor blueberry.Actor, was, project blueberry.Project) error {
	if err := tx.SetProjectLife(ctx, project); err != nil {
		return err
	}
	grant := blueberry.GrantProjectsUpdate
	if project.Sleep.Equal(was.Sleep) {
		grant = blueberry.GrantProjectsQuota
	}
	now, message := p.Now(), fmt.Sprintf("%s changed how environments of project %s live", actor.Name, project.Name)
	if err := tx.AppendEvent(ctx, blueberry.Event{Type: blueberry.ProjectLifeChanged, Project: project.Name, Actor: actor.Name, Message: message, At: now}); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, blueberry.AuditEntry{
		Actor: actor, Action: string(grant), Resource: project.Name, Project: project.Name, Detail: message, At: now,
		Before: blueberry.AuditFields(lifeFields(was)), After: blueberry.AuditFields(lifeFields(project)),
	})
}

// enqueueProject has every living environment of a project looked at: each takes over the policy by itself. What is not reached because the process ends
// takes it over when it is looked at next, at the latest after the next start.
func (p *Provisioner) enqueueProject(ctx context.Context, project string) error {
	q := blueberry.EnvironmentQuery{Project: project, Limit: blueberry.MaxPageSize, Sort: blueberry.SortByName}
	for {
		var page blueberry.EnvironmentPage
		err := p.Record.Update(ctx, func(tx Tx) (err error) {
			if page, err = tx.ListEnvironments(ctx, q); err != nil {
				return err
			}
			var ids []string
			for _, e := range page.Items {
				if alive(e) {
					ids = append(ids, e.ID)
				}
			}
			return enqueueAll(ctx, tx, ids)
		})
		if err != nil || page.Next == "" {
			return err
		}
		q.Cursor = page.Next
	}
}

func lifeFields(p blueberry.Project) map[string]any {
	f := sleepPolicyFields(p.Sleep)
	f["max_pin_hours"] = p.MaxPinHours
	return f
}

func sleepPolicyFields(s blueberry.SleepPolicy) map[string]any {
	return map[string]any{"sleep": policyText(s)}
}

// policyText says a sleep policy in words.
func policyText(s blueberry.SleepPolicy) string {
	var parts []string
	if s.Idle != 0 {
		parts = append(parts, fmt.Sprintf("after %d minutes without use", s.Idle/time.Minute))
	}
	for _, w := range s.Windows {
		var days []string
		for _, d := range w.Days {
			days = append(days, d.String()[:3])
		}
		parts = append(parts, fmt.Sprintf("%s from %02d:%02d to %02d:%02d", strings.Join(days, " "), w.From/60, w.From%60, w.To/60, w.To%60))
	}
	if len(parts) == 0 {
		return "never by itself"
	}
	if s.TimeZone != "" && len(s.Windows) > 0 {
		parts = append(parts, s.TimeZone)
	}
	return strings.Join(parts, ", ")
}
