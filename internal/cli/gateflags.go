package cli

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// gateFlags are what CI must have said of a commit before it gets an environment.
func gateFlags(c *cobra.Command, g *sdk.PullGates) {
	f := c.Flags()
	f.BoolVar(&g.Image, "gate-image", false, "only once CI has reported an image by digest")
	f.StringArrayVar(&g.Components, "gate-component", nil, "with --gate-image: one of this component; repeatable")
	f.BoolVar(&g.Tests, "gate-tests", false, "only once CI has reported tests, none of which failed")
	f.IntVar(&g.CoverageMin, "gate-coverage", 0, "only with so many percent of coverage; 0 asks for none")
	f.StringVar(&g.ScanMax, "gate-scan", "", "only with a scan that has found nothing worse than none, low, medium, high or critical")
	f.IntVar(&g.WaitMinutes, "gate-wait", 0, "how many minutes what CI has not reported is waited for; 0 means 30")
	must(c.RegisterFlagCompletionFunc("gate-scan", cobra.FixedCompletions([]string{"none", "low", "medium", "high", "critical"}, cobra.ShellCompDirectiveNoFileComp)))
}

func gateFlagNames() []string {
	return []string{"gate-image", "gate-component", "gate-tests", "gate-coverage", "gate-scan", "gate-wait"}
}

// gatesOver gives what gates are to be: as they are, but for the flags that were named.
func gatesOver(was, given sdk.PullGates, named func(flag string) bool) sdk.PullGates {
	out := was
	for flag, take := range map[string]func(){
		"gate-image": func() { out.Image = given.Image }, "gate-component": func() { out.Components = filled(given.Components) }, "gate-tests": func() { out.Tests = given.Tests },
		"gate-coverage": func() { out.CoverageMin = given.CoverageMin }, "gate-scan": func() { out.ScanMax = given.ScanMax }, "gate-wait": func() { out.WaitMinutes = given.WaitMinutes },
	} {
		if named(flag) {
			take()
		}
	}
	if slices.Equal(out.Components, []string{}) {
		out.Components = nil
	}
	return out
}

// gatesText says what gates ask for.
func gatesText(g sdk.PullGates) string {
	var out []string
	switch {
	case g.Image && len(g.Components) > 0:
		out = append(out, "images of "+strings.Join(g.Components, ", "))
	case g.Image:
		out = append(out, "an image")
	}
	if g.Tests {
		out = append(out, "tests that pass")
	}
	if g.CoverageMin > 0 {
		out = append(out, "coverage of "+strconv.Itoa(g.CoverageMin)+" %")
	}
	if g.ScanMax != "" {
		out = append(out, "a scan with nothing above "+g.ScanMax)
	}
	if len(out) == 0 {
		return ""
	}
	wait := g.WaitMinutes
	if wait == 0 {
		wait = 30
	}
	return strings.Join(out, "; ") + "; waited for " + strconv.Itoa(wait) + " minutes"
}

// ciFacts adds what CI says of a pull request.
func ciFacts(f *facts, ci *sdk.PullCI) {
	if ci == nil {
		return
	}
	f.some("ci", ci.Summary)
	for _, r := range ci.Reports {
		for _, x := range r.Stages {
			line := x.Status
			if x.URL != "" {
				line += ", " + x.URL
			}
			f.add("stage "+plainText(x.Name), plainText(line))
		}
	}
	for _, g := range ci.Gates {
		f.add("gate "+g.Name, plainText(g.State+": "+g.Message))
	}
}
