package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/sdk"
)

// plan adds a whole plan.
func (p *picture) plan(now time.Time, plan sdk.Plan) {
	p.line("%s", planHeadline(plan))
	if plan.Reason != "" {
		p.words(grey, "  ", plan.Reason)
	}
	p.objects(plan.Objects)
	p.planSettings(plan)
	if plan.Changes && plan.Kind != "destroy" && len(plan.Objects)+len(plan.Config) == 0 {
		p.section("No object and no value changes, only what they are made of.")
	}
	p.fits("Quota", plan.Quota)
	p.fits("Capacity", plan.Capacity)
	p.verdicts(plan.Policies)
	p.warnings(plan.Warnings)
	if p.wide {
		p.inputs(plan.Inputs)
	}
	p.costs(plan)
	p.facts(now, plan)
	if len(plan.Blockers) > 0 {
		p.section("%s", p.paint(red, "It cannot be applied:"))
		for _, b := range plan.Blockers {
			p.words(0, "  ", b)
		}
	}
}

// planSettings adds the values that change. Of a new environment they are all of them: what the charts bring along is only counted.
func (p *picture) planSettings(plan sdk.Plan) {
	if plan.Kind != "create" || p.wide {
		p.settings(plan.Config)
		return
	}
	own := slices.DeleteFunc(slices.Clone(plan.Config), func(c sdk.SettingChange) bool { return c.After != nil && c.After.Origin.Layer == "chart" })
	p.settings(own)
	if n := len(plan.Config) - len(own); n > 0 {
		if len(own) == 0 {
			p.section("Config: no value but the charts' own")
		}
		p.line("%s", p.paint(grey, fmt.Sprintf("    … and %s of charts; -o wide shows all", count(n, "default"))))
	}
}

// planHeadline says what a plan would do: "Change pr-42 of project default, revision 1 → 2".
func planHeadline(plan sdk.Plan) string {
	verb, ok := map[string]string{"create": "Create", "change": "Change", "rollback": "Roll back", "destroy": "Destroy"}[plan.Kind]
	if !ok {
		verb = plan.Kind
	}
	text := fmt.Sprintf("%s %s of project %s", verb, plan.Environment, plan.Project)
	switch {
	case plan.Kind == "destroy":
		text += fmt.Sprintf(", revision %d → none", plan.Base)
	case !plan.Changes:
		text += fmt.Sprintf(", revision %d: no difference", plan.Base)
	case plan.Base == 0:
		text += fmt.Sprintf(", revision %d", plan.Revision)
	default:
		text += fmt.Sprintf(", revision %d → %d", plan.Base, plan.Revision)
	}
	return plainText(text)
}

// fits adds limits with what is used of them and asked for.
func (p *picture) fits(title string, fits []sdk.Fit) {
	if len(fits) == 0 {
		return
	}
	p.section("%s", title)
	t := table{head: []string{"RESOURCE", "USED", "ASKED", "LIMIT", "FITS", "OF"}}
	for _, f := range fits {
		fit := cell{"yes", green}
		if !f.Fits {
			fit = cell{"no", red}
		}
		asked := sdk.QuantityText(f.Resource, f.Asked)
		if f.Asked > 0 {
			asked = "+" + asked
		}
		t.rows = append(t.rows, []cell{
			plainCell(f.Resource), plainCell(sdk.QuantityText(f.Resource, f.Used)), plainCell(asked), plainCell(sdk.QuantityText(f.Resource, f.Limit)), fit, plainCell(f.Scope),
		})
	}
	p.table(t)
}

// verdicts adds what the policies say, what denies first.
func (p *picture) verdicts(verdicts []sdk.PolicyVerdict) {
	if len(verdicts) == 0 {
		return
	}
	p.section("Policies")
	verdicts = slices.Clone(verdicts)
	slices.SortStableFunc(verdicts, func(a, b sdk.PolicyVerdict) int {
		switch {
		case a.Denied == b.Denied:
			return 0
		case a.Denied:
			return -1
		}
		return 1
	})
	for _, v := range verdicts {
		mark := p.paint(yellow, "warn")
		if v.Denied {
			mark = p.paint(red, "deny")
		}
		p.line("  %s  %s: %s", mark, plainText(v.Rule), plainText(v.Object))
		p.words(0, "        ", v.Message)
		if v.Fix != "" {
			p.words(0, "        ", "fix: "+v.Fix)
		}
	}
}

func (p *picture) warnings(warnings []sdk.Warning) {
	if len(warnings) == 0 {
		return
	}
	p.section("%s", p.paint(yellow, "Warnings"))
	for _, w := range warnings {
		p.words(0, "  ", warningText(w))
	}
}

func warningText(w sdk.Warning) string {
	text := w.Message
	if w.Field != "" {
		text = w.Field + ": " + text
	}
	return plainText(text)
}

// inputs adds what the plan leans on.
func (p *picture) inputs(inputs []sdk.PlanInput) {
	if len(inputs) == 0 {
		return
	}
	p.section("Inputs")
	t := table{head: []string{"KIND", "NAME", "VALUE"}}
	for _, i := range inputs {
		t.rows = append(t.rows, []cell{plainCell(i.Kind), plainCell(i.Name), plainCell(i.Value)})
	}
	p.table(t)
}

// facts adds the lines on lease, dry run, cost and validity.
func (p *picture) facts(now time.Time, plan sdk.Plan) {
	when := func(t time.Time) string {
		if p.wide {
			return exact(t)
		}
		return relative(now, t)
	}
	p.section("%-8s %s", "plan", plainText(plan.ID))
	p.fact("lease", leaseText(plan, when))
	switch {
	case plan.DryRun.Done:
		p.fact("dry run", "checked against the target")
	default:
		p.fact("dry run", strings.TrimSuffix("not checked: "+plan.DryRun.Reason, ": "))
	}
	switch {
	case plan.Cost != nil:
		p.fact("cost", planCostText(plan))
	case p.wide:
		p.fact("cost", "not known: no prices are set for its target")
	}
	switch {
	case !plan.AppliedAt.IsZero() && plan.AppliedRevision > 0:
		p.fact("applied", fmt.Sprintf("%s, as revision %d", when(plan.AppliedAt), plan.AppliedRevision))
	case !plan.AppliedAt.IsZero():
		p.fact("applied", when(plan.AppliedAt))
	case !now.Before(plan.ExpiresAt):
		p.fact("expired", when(plan.ExpiresAt))
	default:
		p.fact("expires", when(plan.ExpiresAt))
	}
	if p.wide {
		p.fact("by", plan.Actor)
		p.fact("digest", plan.Digest)
	}
}

// fact adds a line with a name before it; what does not fit stands below.
func (p *picture) fact(name, text string) {
	p.wrapped(0, fmt.Sprintf("%-8s ", name), "         ", text)
}

func leaseText(plan sdk.Plan, when func(time.Time) string) string {
	before, after := plan.Lease.Before, plan.Lease.After
	switch {
	case plan.Kind == "create" && plan.Lease.Hours > 0:
		return fmt.Sprintf("%s, from when it is applied", count(plan.Lease.Hours, "hour"))
	case before.IsZero() && after.IsZero():
		return "none"
	case plan.Kind == "destroy":
		return "ends with it, not " + when(before)
	case before.Equal(after):
		return "ends " + when(after)
	case after.IsZero():
		return fmt.Sprintf("ends %s → never", when(before))
	case before.IsZero():
		return fmt.Sprintf("ends never → %s", when(after))
	}
	return fmt.Sprintf("ends %s → %s", when(before), when(after))
}
