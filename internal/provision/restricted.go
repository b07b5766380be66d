package provision

import (
	"context"
	"fmt"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// codeRestricted is the code of what is not done to a restricted environment.
const codeRestricted = "ENVIRONMENT_RESTRICTED"

// deny gives the error of something that is not done to a restricted environment, whoever asks, after it was told: as an event and in the audit.
func (p *Provisioner) deny(ctx context.Context, e blueberry.Environment, actor blueberry.Actor, grant blueberry.Grant, what string) error {
	message := fmt.Sprintf("%s was not let %s %s, which is restricted", actor.Name, what, e.Name)
	err := p.Record.Update(ctx, func(tx Tx) error { return p.denial(ctx, tx, e, actor, blueberry.EnvironmentDenied, grant, message) })
	if err != nil {
		return fmt.Errorf("record denial: %w", err)
	}
	return blueberry.Errorf(blueberry.Forbidden, codeRestricted, "%s is restricted: it runs code that nobody vouches for, so nobody may %s it", e.Name, what)
}

// denial records what somebody was not given: an event and an audit entry.
func (p *Provisioner) denial(ctx context.Context, tx Tx, e blueberry.Environment, actor blueberry.Actor, t blueberry.EventType, grant blueberry.Grant, message string) error {
	if err := p.tell(ctx, tx, e, t, actor, message); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, blueberry.AuditEntry{
		Actor: actor, Action: string(grant), Resource: e.ID, Project: e.Project, Detail: message, At: p.Now(), Result: blueberry.AuditDenied,
	})
}

// maxLeftOutTold is how many things that were left out stand in one message. The plan has them all.
const maxLeftOutTold = 10

// tellLeftOut tells what a revision of a restricted environment asked for and was not given.
func (p *Provisioner) tellLeftOut(ctx context.Context, tx Tx, e blueberry.Environment, d *draft, grant blueberry.Grant) error {
	if !e.Restricted {
		return nil
	}
	var left []string
	for _, w := range d.out.Warnings {
		if w.Code == "restricted" {
			_, what, _ := strings.Cut(w.Message, ": ")
			left = append(left, what)
		}
	}
	if len(left) == 0 {
		return nil
	}
	if n := len(left) - maxLeftOutTold; n > 0 {
		left = append(left[:maxLeftOutTold], fmt.Sprintf("and %d more, as plan %s says", n, d.rev.Plan))
	}
	message := fmt.Sprintf("revision %d of %s, which is restricted, was not given: %s", d.rev.Number, e.Name, strings.Join(left, "; "))
	return p.denial(ctx, tx, e, d.actor, blueberry.EnvironmentRestricted, grant, message)
}

// checkHead notes what is wrong with a wish for a commit of which nothing is taken: only restricted environments run one.
func (w Wish) checkHead(restricted bool, faults *blueberry.Faults) {
	switch {
	case w.Head == nil:
	case !restricted:
		faults.Add("head", "forbidden", "is for restricted environments; others take their configuration from the commit that they run")
	default:
		faults.CheckCommit("head", *w.Head)
	}
}

// checkRestricted notes what an actor may not change of a restricted environment: what it is made of is decided by its pull request and the branch that this
// goes to. The platform's own actors act for these.
func (w Wish) checkRestricted(actor blueberry.Actor, base blueberry.Source, faults *blueberry.Faults) {
	if actor.Kind == blueberry.ActorJob {
		if w.Repository != nil && *w.Repository != base.Repository {
			faults.Add("source.repository", "restricted", "cannot become another one")
		}
		return
	}
	for _, x := range []struct {
		field string
		named bool
	}{
		{"source.repository", w.Repository != nil},
		{"source.ref", w.Ref != nil},
		{"source.path", w.Path != nil},
		{"blueprint", w.Blueprint != nil},
		{"blueprint_ref", w.Catalogue != nil},
		{"head", w.Head != nil},
	} {
		if x.named {
			faults.Add(x.field, "restricted", "cannot be chosen: the environment is restricted, and made of the branch that its pull request goes to")
		}
	}
}
