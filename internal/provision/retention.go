package provision

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	retentionTick   = time.Minute      // how late a rule may run
	retentionWithin = 10 * time.Minute // one run of a rule
	retentionPage   = 100              // things that a rule takes up at once
)

// Rule is one rule of what is kept for how long.
type Rule struct {
	Name  string        // "sessions"
	What  string        // for people
	Keep  time.Duration // 0 when the things carry their own end
	Every time.Duration // between two runs
	// Run removes what is kept no longer, and tells how many went and, for people, what they were. It may be ended and begun anew at any line.
	Run func(ctx context.Context) (removed int, detail string, err error)
}

// rules are ours, and those of other rooms, by name.
func (p *Provisioner) rules() []Rule {
	list := append([]Rule{p.archivesRule(), p.logsRule(), p.failedRule(), p.plansRule(), p.leasesRule(), p.orphansRule()}, p.Rules...)
	slices.SortFunc(list, func(a, b Rule) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// RetentionRules lists every rule by name: what, for how long, when it ran last and what went, when it runs next.
func (p *Provisioner) RetentionRules(ctx context.Context, actor blueberry.Actor) ([]blueberry.RetentionRule, error) {
	if err := actor.Can(blueberry.GrantRetentionRead); err != nil {
		return nil, err
	}
	runs, err := view(ctx, p, func(tx Tx) (map[string]blueberry.RetentionRun, error) { return tx.RetentionRuns(ctx) })
	if err != nil {
		return nil, err
	}
	var out []blueberry.RetentionRule
	for _, r := range p.rules() {
		x := blueberry.RetentionRule{Name: r.Name, What: r.What, Keep: r.Keep, Every: r.Every, LastRun: runs[r.Name], NextRun: p.Now()}
		if began := x.LastRun.Began; !began.IsZero() {
			x.NextRun = began.Add(r.Every)
		}
		out = append(out, x)
	}
	return out, nil
}

// runRetention runs the rules that are due, again and again, until ctx ends.
func (p *Provisioner) runRetention(ctx context.Context) error {
	for pause(ctx, retentionTick) { // first: after a start the deadlines that passed meanwhile are not the backstop's to find
		if err := p.RunRetention(ctx); err != nil && ctx.Err() == nil {
			p.Logger.Error("run retention rules", "error", err)
		}
	}
	return nil
}

// RunRetention runs each rule that is due, unless another server runs it in this period. What is wrong with a rule is on its own page line and stops no
// other; the error is of the record.
func (p *Provisioner) RunRetention(ctx context.Context) error {
	for _, r := range p.rules() {
		mine, began := false, p.Now()
		err := p.Record.Update(ctx, func(tx Tx) (err error) {
			mine, err = tx.ClaimRetention(ctx, r.Name, began, r.Every)
			return err
		})
		if err != nil {
			return fmt.Errorf("claim retention rule %s: %w", r.Name, err)
		}
		if !mine {
			continue
		}
		if err := p.runRule(ctx, r, began); err != nil {
			return err
		}
	}
	return nil
}

func (p *Provisioner) runRule(ctx context.Context, r Rule, began time.Time) error {
	within, cancel := context.WithTimeout(ctx, retentionWithin)
	defer cancel()
	run := blueberry.RetentionRun{Rule: r.Name, Began: began}
	var err error
	if run.Removed, run.Detail, err = r.Run(within); err != nil {
		p.Logger.Error("run retention rule", "rule", r.Name, "error", err)
		run.Error = userText(err)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	run.Ended = p.Now()
	if err := p.Record.Update(ctx, func(tx Tx) error { return tx.PutRetentionRun(ctx, run) }); err != nil {
		return fmt.Errorf("note run of retention rule %s: %w", r.Name, err)
	}
	return nil
}

// namedSome names the first few of many.
func namedSome(names []string) string {
	const most = 5
	if n := len(names) - most; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), n)
	}
	return strings.Join(names, ", ")
}
