package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const followPage = 200 // environments enqueued in one transaction

// ConfigPublished is the worker of config.published: it has every environment looked at that follows the set.
func (p *Provisioner) ConfigPublished(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	return blueberry.JobOutcome{}, p.enqueueFollowers(ctx, func(tx Tx, after string) ([]string, error) {
		return tx.ConfigFollowers(ctx, job.Subject, after, followPage)
	})
}

// BlueprintPublished is the worker of blueprint.published.
func (p *Provisioner) BlueprintPublished(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	return blueberry.JobOutcome{}, p.enqueueFollowers(ctx, func(tx Tx, after string) ([]string, error) {
		return tx.BlueprintFollowers(ctx, job.Subject, after, followPage)
	})
}

// SourceMoved has every environment of a project looked at that is made of a branch of a repository which its blueprint names beside its own, as the branch
// has moved, or is there since now. The repository is an address as Git clones it, the branch a name without refs/heads/.
func (p *Provisioner) SourceMoved(ctx context.Context, project, repository, branch string) error {
	return p.enqueueAll(ctx, blueberry.JobEnvironmentSources, func(tx Tx, after string) ([]string, error) {
		return tx.SourceFollowers(ctx, blueberry.SourceFollowerQuery{Project: project, Repository: repository, Branch: branch, After: after, Limit: followPage})
	})
}

func (p *Provisioner) enqueueFollowers(ctx context.Context, next func(tx Tx, after string) ([]string, error)) error {
	return p.enqueueAll(ctx, blueberry.JobEnvironmentFollow, next)
}

func (p *Provisioner) enqueueAll(ctx context.Context, kind blueberry.JobKind, next func(tx Tx, after string) ([]string, error)) error {
	for after := ""; ; {
		var ids []string
		err := p.Record.Update(ctx, func(tx Tx) (err error) {
			if ids, err = next(tx, after); err != nil {
				return err
			}
			for _, id := range ids {
				if err := tx.Enqueue(ctx, kind, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("enqueue followers: %w", err)
		}
		if len(ids) < followPage {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

// Follow is the worker of environment.follow: it brings an environment to the newest of what it follows when its blueprint lets it, and else makes a plan of
// it for a person. What is held stays away. A change that is not possible is told, and tried again only when something moves.
func (p *Provisioner) Follow(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	return p.follow(ctx, job.Subject, ChangeRequest{Reason: "followed what it uses"}, func(*draft) bool { return false })
}

// FollowSources is the worker of environment.sources: Follow, with the newest commits of the repositories that the blueprint names beside its own. One that
// belongs to a branch, as those of pull requests do, is brought there without asking.
func (p *Provisioner) FollowSources(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	return p.follow(ctx, job.Subject, ChangeRequest{Reason: "followed the repositories of its blueprint", Sides: true}, func(d *draft) bool {
		return d.rev.Branch != "" || d.env.Kind() == blueberry.Preview
	})
}

func (p *Provisioner) follow(ctx context.Context, id string, change ChangeRequest, automatic func(*draft) bool) (blueberry.JobOutcome, error) {
	e, err := p.read(ctx, id)
	if errors.Is(err, blueberry.NotFound) || err == nil && !alive(e) {
		return blueberry.JobOutcome{}, nil
	}
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	request := planRequest{Change: &change, Subject: id, ByItself: true}
	d, err := p.draft(ctx, blueberry.System(), request)
	if d != nil {
		defer d.release()
	}
	if err != nil {
		return blueberry.JobOutcome{}, p.followFailed(ctx, id, err)
	}
	if err := p.tellHeld(ctx, e, d.res.held); err != nil {
		return blueberry.JobOutcome{}, err
	}
	if d.same {
		return blueberry.JobOutcome{}, nil
	}
	if d.rev.Blueprint.ConfigUpdates == blueberry.ConfigAutomatic || automatic(d) {
		_, err := p.revise(ctx, blueberry.System(), application{kind: blueberry.PlanChange, subject: id, request: request}, 0)
		return blueberry.JobOutcome{}, p.followFailed(ctx, id, err)
	}
	d.inputs = append(d.inputs, blueberry.PlanInput{Kind: blueberry.InputTarget, Name: d.env.Target, Value: p.targetState(ctx, d)})
	return blueberry.JobOutcome{}, p.propose(ctx, d, request)
}

// tellHeld tells which inputs are passed over because they are held: of each environment and input once in the life of this process.
func (p *Provisioner) tellHeld(ctx context.Context, e blueberry.Environment, held []blueberry.PlanInput) error {
	for _, h := range held {
		key := fmt.Sprintf("%s %q", e.ID, h)
		if _, told := p.heldTold.Load(key); told {
			continue
		}
		if err := p.say(ctx, e.ID, blueberry.EnvironmentHeld, fmt.Sprintf("%s stays without %s %s %s, which is held", e.Name, h.Kind, h.Name, h.Value)); err != nil {
			return err
		}
		p.heldTold.Store(key, true)
	}
	return nil
}

// followFailed tells a change that is refused; any other error is the job's.
func (p *Provisioner) followFailed(ctx context.Context, id string, err error) error {
	var e *blueberry.Error
	if errors.As(err, &e) {
		switch {
		case e.Code == "ENVIRONMENT_ENDING":
			return nil
		case e.Code == "INPUTS_MOVE", unreachable(err):
			return err // the job tries again
		}
	}
	if errors.Is(err, blueberry.Invalid) || errors.Is(err, blueberry.Conflict) || errors.Is(err, blueberry.Forbidden) {
		return p.say(ctx, id, blueberry.EnvironmentUpdateRefused, "stays as it is: "+userText(err))
	}
	return err
}

func (p *Provisioner) say(ctx context.Context, id string, t blueberry.EventType, message string) error {
	return p.Record.Update(ctx, func(tx Tx) error {
		e, err := tx.Environment(ctx, id)
		if err != nil {
			return err
		}
		return p.tell(ctx, tx, e, t, blueberry.System(), message)
	})
}

// propose keeps a plan of a draft for a person, unless the same one waits already.
func (p *Provisioner) propose(ctx context.Context, d *draft, request planRequest) error {
	plan, err := p.write(ctx, d, request, true)
	if err != nil {
		return err
	}
	return p.Record.Update(ctx, func(tx Tx) error {
		waiting, err := tx.Plans(ctx, blueberry.PlanQuery{EnvironmentID: d.env.ID, Limit: 20})
		if err != nil {
			return err
		}
		for _, w := range waiting {
			if w.AppliedAt.IsZero() && !w.Expired(d.now) && w.Digest == plan.Digest {
				return nil
			}
		}
		if err := tx.PutRendering(ctx, d.rev.Rendering, d.now); err != nil {
			return err
		}
		if err := tx.InsertPlan(ctx, plan); err != nil {
			return err
		}
		message := fmt.Sprintf("what %s follows has moved; plan %s would change %d objects and waits to be applied until %s", d.env.Name, plan.ID, len(plan.Objects), plan.ExpiresAt.UTC().Format("15:04 MST"))
		return p.tell(ctx, tx, d.env, blueberry.EnvironmentPlanProposed, blueberry.System(), message)
	})
}
